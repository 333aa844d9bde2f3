using Sora.Transformer;
using Sora.Weights;

namespace Sora.Estimation;

/// <summary>
/// Floating-point operations of the transformer: 2·m·n·k for a product of [m, k] and [k, n]. Norms, modulation, softmax and
/// the embedding of times, under a hundredth together, are left out.
/// </summary>
internal static class TransformerOperations
{
    /// <summary>Of one evaluation: clips of N patches each, which read L text tokens and M image tokens.</summary>
    public static double Evaluation(WanTransformerConfig config, double clips, double n, double l, double m)
    {
        double d = config.InnerDim, patch = config.PatchSize.Aggregate(1, (a, b) => a * b), tokens = clips * n;
        double linear = 2 * tokens * d * ((6 * d) + (2 * config.FfnDim)); // q, k, v, out; q and out of the text; in and out
        double attention = 4 * tokens * d * (n + l + m);                  // scores and sums
        double ends = 2 * tokens * d * patch * (config.InChannels + config.OutChannels);
        double textures = config.MapHarmonics is null ? 0 : 2 * tokens * ((d * TextureEmbedding.Count(config)) + TextureSamples.Products(config));
        return (config.NumLayers * (linear + attention)) + ends + textures;
    }

    /// <summary>Of what is computed once a video for each text: its projection, and each block's keys and values.</summary>
    public static double Preparation(WanTransformerConfig config, double clips, double l)
    {
        double d = config.InnerDim;
        return 2 * clips * l * d * (config.TextDim + d + (config.NumLayers * 2 * d));
    }
}
