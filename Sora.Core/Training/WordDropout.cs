using Sora.Latents;

namespace Sora.Training;

/// <summary>
/// Leaves words out of captions, so that a network learns what each means by itself: of "a dog runs left on a meadow" it
/// also sees "a dog left a meadow" and "dog runs on". One that has only seen whole captions knows words by their company.
/// </summary>
internal static class WordDropout
{
    private const int LongestCaption = 1 << 16;

    /// <summary>The caption without some of its words.</summary>
    /// <param name="caption">Words with single spaces between.</param>
    /// <param name="share">The probability that a word is left out, 0 to 1.</param>
    /// <param name="random">The step's random numbers.</param>
    /// <param name="clip">Which clip of the step.</param>
    public static string Apply(string caption, double share, GaussianNoise random, int clip) =>
        share == 0 ? caption
        : string.Join(' ', caption.Split(' ').Where((_, word) => random.Uniform(((ulong)clip * LongestCaption) + (ulong)word) >= share));
}
