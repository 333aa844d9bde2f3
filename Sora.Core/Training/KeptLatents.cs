using Sora.VideoVae;
using Sora.Weights;

namespace Sora.Training;

/// <summary>The latents of the autoencoder that a training began with, from which its own are not to go far (<see cref="VaeTrainingConfig.KeepLatents"/>).</summary>
internal sealed class KeptLatents : IDisposable
{
    private readonly VideoAutoencoder _vae;
    private readonly Tensor _deviations;   // 1 C 1 1 1

    /// <exception cref="SoraException">There is nothing to begin with, or it cannot be read.</exception>
    public KeptLatents(VaeTrainingConfig config, ScalarType computeType)
    {
        string folder = config.StartFolder ?? throw new SoraException("keep_latents needs start_folder, the component whose latents are kept.");
        AutoencoderKLWanConfig start = AutoencoderKLWanConfig.Load(Path.Combine(folder, "config.json"));
        _vae = new(start, new CheckpointParameters(folder, computeType, CPU));
        _deviations = tensor([.. start.LatentsStd.Select(deviation => (float)deviation)], [1, start.ZDim, 1, 1, 1]);
    }

    /// <summary>The mean squared distance of means from the kept ones, in deviations: a scalar.</summary>
    /// <param name="mean">What the encoder in training gives for the clips [B, C', T, H, W], with the kept channels first.</param>
    /// <param name="clips">The clips [B, 3, T, H, W].</param>
    public Tensor Distance(Tensor mean, Tensor clips)
    {
        Tensor kept;
        using (no_grad())
        using (var cache = new CausalCache())
            kept = LatentMoments.Split(_vae.EncodeChunk(clips, cache)).Mean;
        return ((mean.narrow(1, 0, kept.size(1)) - kept) / _deviations).square().mean();
    }

    /// <summary>Puts the kept statistics in the place of those of the first channels.</summary>
    public void TakeStatistics(double[] means, double[] deviations)
    {
        _vae.Config.LatentsMean.ToArray().CopyTo(means, 0);
        _vae.Config.LatentsStd.ToArray().CopyTo(deviations, 0);
    }

    /// <summary>Frees the network.</summary>
    public void Dispose()
    {
        _vae.Dispose();
        _deviations.Dispose();
    }
}
