using Sora.Latents;

namespace Sora.Training;

/// <summary>What a training leaves out of captions: whole ones, from which guidance learns the unconditional flow, and single words.</summary>
internal static class CaptionDropout
{
    /// <summary>The caption that a clip of a step is trained with.</summary>
    /// <param name="config">The shares.</param>
    /// <param name="random">The step's random numbers.</param>
    /// <param name="words">Those of its words.</param>
    /// <param name="clip">Which clip of the step.</param>
    /// <param name="caption">Gives the clip's caption.</param>
    public static string Apply(FlowTrainingConfig config, GaussianNoise random, GaussianNoise words, int clip, Func<string> caption) =>
        random.Uniform((ulong)(100_000 + clip)) < config.CaptionDropout ? "" : WordDropout.Apply(caption(), config.WordDropout, words, clip);
}
