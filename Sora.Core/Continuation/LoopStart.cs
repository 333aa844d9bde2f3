using Sora.Frames;

namespace Sora.Continuation;

/// <summary>
/// Chooses where a loop begins. It has no beginning of its own, so it begins where neighbouring frames differ least: players
/// halt for a moment there, and an encoder begins anew.
/// </summary>
internal static class LoopStart
{
    /// <summary>The frames of a loop, turned so that the last and the first differ no more than any two neighbours.</summary>
    /// <param name="loop">All frames in order, at least one.</param>
    public static IEnumerable<VideoFrame> AtLeastMotion(IEnumerable<VideoFrame> loop)
    {
        VideoFrame[] frames = [.. loop];
        int start = Enumerable.Range(0, frames.Length).MinBy(i => Difference(frames[(i + frames.Length - 1) % frames.Length], frames[i]));
        for (int i = 0; i < frames.Length; i++)
        {
            VideoFrame frame = frames[(start + i) % frames.Length];
            yield return new(frames[i].Index, frame.Width, frame.Height, frame.Rgb, frames[i].Timestamp);
        }
    }

    // The sum of absolute differences.
    private static long Difference(VideoFrame a, VideoFrame b)
    {
        ReadOnlySpan<byte> first = a.Rgb.Span, second = b.Rgb.Span;
        long sum = 0;
        for (int i = 0; i < first.Length; i++)
            sum += Math.Abs(first[i] - second[i]);
        return sum;
    }
}
