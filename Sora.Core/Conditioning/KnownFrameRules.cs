using Sora.Weights;

namespace Sora.Conditioning;

/// <summary>Finds out from a model's configs how it takes known frames, and checks requests against it.</summary>
internal static class KnownFrameRules
{
    /// <summary>The rule of a model.</summary>
    /// <exception cref="SoraException">The input's channels are neither the latent's nor those of a known conditioning.</exception>
    public static KnownFrameRule Of(ModelFolder model)
    {
        WanTransformerConfig transformer = model.Transformer;
        int latent = model.Vae.ZDim, conditioned = (2 * latent) + model.TemporalStride;
        if (transformer.InChannels == latent && transformer.ImageDim is null)
            return KnownFrameRule.Any;
        if (transformer.InChannels == conditioned)
        {
            return transformer.PosEmbedSeqLen is not null ? KnownFrameRule.FirstAndLast
                : transformer.ImageDim is not null ? KnownFrameRule.First
                : KnownFrameRule.FirstAndPerhapsLast;
        }
        throw new SoraException(
            $"{model.Path}: transformer in_channels is {transformer.InChannels} and image_dim is {(transformer.ImageDim is { } width ? $"{width}" : "null")}; "
            + $"allowed with a vae of z_dim {latent}: {latent} without image_dim (text to video), {conditioned} (image to video).");
    }

    /// <summary>Says what is wrong with the places of known frames in a video; null where nothing is.</summary>
    public static string? Problem(KnownFrameRule rule, IEnumerable<int> places, int frameCount)
    {
        int[] given = [.. places.Order()];
        if (given.LastOrDefault() is var last && last >= frameCount)
            return $"KnownFrames names index {last}, but the video has {frameCount} frames; allowed: 0 to {frameCount - 1}.";
        bool first = given.Contains(0);
        bool end = frameCount > 1 && given.Contains(frameCount - 1);
        int others = given.Length - (first ? 1 : 0) - (end ? 1 : 0);
        bool holds = rule switch
        {
            KnownFrameRule.First => first && !end && others == 0,
            KnownFrameRule.FirstAndPerhapsLast => first && others == 0,
            KnownFrameRule.FirstAndLast => first && end && others == 0,
            _ => true,
        };
        return holds ? null : $"KnownFrames {Listing(given)}; this model needs {Needs(rule, frameCount)}.";
    }

    private static string Needs(KnownFrameRule rule, int frameCount) => rule switch
    {
        KnownFrameRule.First => "the first frame, index 0, and can hold no other",
        KnownFrameRule.FirstAndPerhapsLast => $"the first frame, index 0, and can hold the last, index {frameCount - 1}, besides, and no other",
        _ => $"the first and the last frame, indices 0 and {Math.Max(frameCount - 1, 1)}, and can hold no other",
    };

    private static string Listing(int[] given) => given.Length switch
    {
        0 => "is empty",
        <= 8 => $"names {(given.Length == 1 ? "index" : "indices")} {string.Join(", ", given)}",
        _ => $"names {given.Length} indices from {given[0]} to {given[^1]}",
    };
}
