using Sora.VideoVae;

namespace Sora.Sampling;

/// <summary>Time from a first frame, which stands alone in its latent frame, to a last one.</summary>
public sealed class StraightTime : IVideoTime
{
    /// <inheritdoc/>
    public int Frames(int frameCount) => frameCount;

    /// <inheritdoc/>
    public int LatentFrames(int frameCount, int stride) => ((frameCount - 1) / stride) + 1;

    /// <inheritdoc/>
    public Tensor ToNetwork(Tensor sample, SamplingStep step) => sample.alias();

    /// <inheritdoc/>
    public Tensor FromNetwork(Tensor velocity, SamplingStep step) => velocity.alias();

    /// <inheritdoc/>
    public IEnumerable<Tensor> DecodeChunks(VideoAutoencoder vae, Tensor latent, SpatialTiles? tiles = null)
    {
        ArgumentNullException.ThrowIfNull(vae);
        return vae.DecodeChunks(latent, tiles);
    }
}
