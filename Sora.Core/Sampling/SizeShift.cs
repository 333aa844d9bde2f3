namespace Sora.Sampling;

/// <summary>
/// How the size of a video moves its noise levels: neighbouring patches of a large video tell the same thing, so more noise is
/// needed to hide it. A video of n patches at shift √(n / m) is as noisy as one of m at shift 1 (Esser et al. 2024, arXiv
/// 2403.03206, section 5.3.2).
/// </summary>
public static class SizeShift
{
    /// <summary>The shift of a video's size.</summary>
    /// <param name="tokens">Its patches, at least 1.</param>
    /// <param name="reference">The patches of a video whose shift is 1, at least 1; null: the shift is 1 at every size.</param>
    public static double Of(long tokens, int? reference) => reference is { } m ? Math.Sqrt(tokens / (double)m) : 1;
}
