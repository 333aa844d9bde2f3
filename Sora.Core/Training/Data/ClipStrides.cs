using Sora.Weights;

namespace Sora.Training.Data;

/// <summary>What sizes and lengths of clips must be for a model.</summary>
/// <param name="Spatial">Width and height are multiples of it, in pixels.</param>
/// <param name="Temporal">Frames are 1 + k times it.</param>
public readonly record struct ClipStrides(int Spatial, int Temporal)
{
    /// <summary>The strides of an autoencoder together with a transformer's patches.</summary>
    /// <exception cref="SoraException">The patch is longer than one latent frame, or wider than high.</exception>
    public static ClipStrides Of(AutoencoderKLWanConfig vae, WanTransformerConfig transformer)
    {
        ArgumentNullException.ThrowIfNull(vae);
        ArgumentNullException.ThrowIfNull(transformer);
        (int t, int h, int w) = (transformer.PatchSize[0], transformer.PatchSize[1], transformer.PatchSize[2]);
        return t == 1 && h == w
            ? new(vae.SpatialStride * h, vae.TemporalStride)
            : throw new SoraException($"patch_size is [{t}, {h}, {w}]; training at native sizes allows [1, {h}, {h}].");
    }

    /// <summary>The most frames that fit in a number of frames, which is at least 1.</summary>
    public int FramesIn(int frames) => ((frames - 1) / Temporal * Temporal) + 1;
}
