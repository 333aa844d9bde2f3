using Sora.Weights;

namespace Sora.Estimation;

/// <summary>Floating-point operations of the text encoder, counted as <see cref="TransformerOperations"/> does.</summary>
internal static class TextEncoderOperations
{
    /// <summary>Of one prompt, padded to L tokens.</summary>
    public static double Prompt(UMT5Config config, double l)
    {
        double inner = config.NumHeads * config.DKv;
        double linear = 2 * l * config.DModel * ((4 * inner) + (3 * config.DFf));
        return config.NumLayers * (linear + (4 * l * l * inner));
    }
}
