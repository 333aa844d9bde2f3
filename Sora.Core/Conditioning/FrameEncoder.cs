using Sora.Frames;
using Sora.Latents;
using Sora.Layers;
using Sora.VideoVae;

namespace Sora.Conditioning;

/// <summary>Frames to normalised latents, chunk by chunk, in memory that does not grow with their number.</summary>
/// <param name="vae">Encodes.</param>
/// <param name="normalizer">Brings latents to the transformer's scale.</param>
/// <param name="device">Where the autoencoder is.</param>
/// <param name="tiles">The tiles of the frames' latents; null: the whole picture at once.</param>
/// <param name="cancellationToken">Honoured between chunks.</param>
internal sealed class FrameEncoder(VideoAutoencoder vae, LatentNormalizer normalizer, Device device, SpatialTiles? tiles = null, CancellationToken cancellationToken = default)
{
    /// <summary>The means of the latents [1, C, t, h, w] of a video of 1 + s·k frames.</summary>
    /// <param name="frames">The frames; null is mid grey, the pixel value 0.</param>
    /// <param name="width">Their width.</param>
    /// <param name="height">Their height.</param>
    /// <exception cref="SoraException">The encoder gave NaN or infinity.</exception>
    public Tensor Encode(IReadOnlyList<VideoFrame?> frames, int width, int height)
    {
        using DisposeScope scope = NewDisposeScope();
        using var video = new TiledVideo(tiles ?? SpatialTiles.Whole(height / vae.Config.SpatialStride, width / vae.Config.SpatialStride));
        var chunks = new List<Tensor>();
        for (int start = 0; start < frames.Count;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            int length = start == 0 ? 1 : vae.Config.TemporalStride;
            using DisposeScope chunk = NewDisposeScope();
            Tensor moments = video.EncodeChunk(vae, Pixels(frames, start, length, width, height)); // 1 2·C t h w
            chunks.Add(chunk.MoveToOuter(LatentMoments.Split(moments).Mean.contiguous()));
            start += length;
        }
        return scope.MoveToOuter(Finite.Require(normalizer.Normalize(cat(chunks, 2)), "The video encoder"));
    }

    private Tensor Pixels(IReadOnlyList<VideoFrame?> frames, int start, int length, int width, int height)
    {
        VideoFrame?[] part = [.. frames.Skip(start).Take(length)];
        Tensor grey = zeros([1, 3, 1, height, width], device: device);
        return cat([.. part.Select(frame => frame is null ? grey : FrameTensors.ToTensor(frame, device))], 2); // 1 3 T H W
    }
}
