namespace Sora.Training;

/// <summary>How much the channels of a latent count in a loss.</summary>
internal static class ChannelWeights
{
    /// <summary>
    /// Those of <see cref="PixelWeights"/>, or all alike, details less; of a map's channels, which come last and may be larger than the others, as much as if they were not.
    /// Near noise these have so the mean weight of the others, where without they would have the square of their size.
    /// </summary>
    /// <param name="channels">How many channels there are.</param>
    /// <param name="pixels">Weights of the first of them or of all; null: all alike.</param>
    /// <param name="details">The channels before the map's that count less; null: none.</param>
    /// <param name="map">How many of them are the map's.</param>
    /// <param name="gain">How many times as large as the others these are.</param>
    public static float[] Of(int channels, IReadOnlyList<double>? pixels, DetailChannels? details, int map, double gain)
    {
        int own = channels - map;
        details?.Check(own);
        int first = own - (details?.Channels ?? 0);
        return [.. Enumerable.Range(0, channels).Select(channel => (float)(channel >= own ? 1 / (gain * gain) : (pixels?[channel] ?? 1) * (channel < first ? 1 : details!.Weight)))];
    }
}
