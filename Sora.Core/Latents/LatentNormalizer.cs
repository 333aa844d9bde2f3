using Sora.Weights;

namespace Sora.Latents;

/// <summary>Latents to the unit scale that the transformer works at, channel by channel, and back.</summary>
public sealed class LatentNormalizer : IDisposable
{
    private readonly Tensor _mean;
    private readonly Tensor _deviation;

    /// <summary>Uses the statistics in the VAE's config.</summary>
    public LatentNormalizer(AutoencoderKLWanConfig config, Device device)
    {
        long[] shape = [1, config.ZDim, 1, 1, 1];
        _mean = tensor(config.LatentsMean.Select(v => (float)v).ToArray(), shape, device: device).DetachFromDisposeScope();
        _deviation = tensor(config.LatentsStd.Select(v => (float)v).ToArray(), shape, device: device).DetachFromDisposeScope();
    }

    /// <summary>(z − mean) / deviation, for z [B, C, t, h, w].</summary>
    public Tensor Normalize(Tensor latents) => (latents - _mean) / _deviation;

    /// <summary>z · deviation + mean, for z [B, C, t, h, w].</summary>
    public Tensor Restore(Tensor latents) => (latents * _deviation) + _mean;

    /// <summary>Frees the statistics.</summary>
    public void Dispose()
    {
        _mean.Dispose();
        _deviation.Dispose();
    }
}
