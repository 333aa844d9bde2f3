namespace Sora.Training;

/// <summary>How much the channels of a latent count in a loss.</summary>
internal static class ChannelWeights
{
    /// <summary>
    /// Those of <see cref="PixelWeights"/>, or all alike; of the last channels, which may be larger than the others, as much as if they were not.
    /// Near noise these have so the mean weight of the others, where without they would have the square of their size.
    /// </summary>
    /// <param name="channels">How many channels there are.</param>
    /// <param name="pixels">Weights of the first of them or of all; null: all alike.</param>
    /// <param name="last">How many of them are the last ones.</param>
    /// <param name="gain">How many times as large as the others these are.</param>
    public static float[] Of(int channels, IReadOnlyList<double>? pixels, int last, double gain) =>
        [.. Enumerable.Range(0, channels).Select(channel => (float)(channel >= channels - last ? 1 / (gain * gain) : pixels?[channel] ?? 1))];
}
