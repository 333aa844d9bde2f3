using Sora.Sampling;
using Sora.Weights;

namespace Sora.Latents;

/// <summary>The size of a video in latents.</summary>
/// <param name="C">Channels.</param>
/// <param name="T">Latent frames: 1 + (frames − 1) / temporal stride; in a loop one less.</param>
/// <param name="H">Height / spatial stride.</param>
/// <param name="W">Width / spatial stride.</param>
public readonly record struct LatentShape(int C, int T, int H, int W)
{
    /// <summary>The shape of a resolved request under a VAE.</summary>
    public static LatentShape Of(VideoRequest request, AutoencoderKLWanConfig vae) => new(
        vae.ZDim,
        VideoTimes.Of(request).LatentFrames(request.FrameCount!.Value, vae.TemporalStride),
        request.Height!.Value / vae.SpatialStride,
        request.Width!.Value / vae.SpatialStride);
}
