namespace Sora.Frames;

/// <summary>Tensors to frames.</summary>
public static class FrameTensors
{
    /// <summary>Frames of a decoded chunk [1, 3, T, H, W] in [−1, 1], rounded to 8 bits.</summary>
    /// <param name="chunk">The chunk.</param>
    /// <param name="firstIndex">The position of its first frame in the video.</param>
    /// <param name="rate">Frames a second.</param>
    public static IReadOnlyList<VideoFrame> ToFrames(Tensor chunk, int firstIndex, FrameRate rate)
    {
        Layers.Shape.Require(chunk, "1 3 T H W");
        using DisposeScope scope = NewDisposeScope();
        Tensor bytes = ((chunk.squeeze(0) + 1) * 127.5).round().clamp(0, 255).to(uint8)
            .permute(1, 2, 3, 0).contiguous().cpu();                                      // T H W 3
        int width = (int)chunk.size(4), height = (int)chunk.size(3), size = 3 * width * height;
        byte[] pixels = bytes.bytes.ToArray();
        return
        [
            .. Enumerable.Range(0, (int)chunk.size(2)).Select(t => new VideoFrame(
                firstIndex + t, width, height, pixels.AsMemory(t * size, size), rate.TimeOf(firstIndex + t))),
        ];
    }
}
