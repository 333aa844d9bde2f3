using Sora.VideoVae;

namespace Sora.Sampling;

/// <summary>How the time of a video runs: from a first frame to a last one, or in a circle. <see cref="VideoTimes"/> says which a request asks for.</summary>
public interface IVideoTime
{
    /// <summary>The frames that a video has.</summary>
    /// <param name="frameCount">The request's <see cref="VideoRequest.FrameCount"/>, s·n + 1.</param>
    int Frames(int frameCount);

    /// <summary>The latent frames that it is made of.</summary>
    /// <param name="frameCount">The request's <see cref="VideoRequest.FrameCount"/>, s·n + 1.</param>
    /// <param name="stride">The autoencoder's temporal stride s.</param>
    int LatentFrames(int frameCount, int stride);

    /// <summary>A sample [1, C, t, h, w] as the network sees it at a step; a new tensor.</summary>
    Tensor ToNetwork(Tensor sample, SamplingStep step);

    /// <summary>The network's velocity [1, C, t, h, w] at a step as the sample's; a new tensor.</summary>
    Tensor FromNetwork(Tensor velocity, SamplingStep step);

    /// <summary>Decodes a latent [1, z, t, h, w] to the video's frames: chunks [1, 3, T, H, W] in [−1, 1], each of which the caller disposes.</summary>
    /// <param name="vae">The autoencoder.</param>
    /// <param name="latent">The latent, in the autoencoder's scale.</param>
    /// <param name="tiles">The tiles to decode one after the other; null: the whole picture at once.</param>
    IEnumerable<Tensor> DecodeChunks(VideoAutoencoder vae, Tensor latent, SpatialTiles? tiles = null);
}
