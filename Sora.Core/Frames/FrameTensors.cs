namespace Sora.Frames;

/// <summary>Tensors to frames and back.</summary>
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

    /// <summary>A frame as [1, 3, 1, H, W] in [−1, 1], float32.</summary>
    /// <param name="frame">The frame.</param>
    /// <param name="device">Where it goes.</param>
    public static Tensor ToTensor(VideoFrame frame, Device device)
    {
        ArgumentNullException.ThrowIfNull(frame);
        using DisposeScope scope = NewDisposeScope();
        Tensor bytes = tensor(frame.Rgb.ToArray(), [1, 1, frame.Height, frame.Width, 3]).to(device);
        return scope.MoveToOuter((bytes.permute(0, 4, 1, 2, 3).to(float32) / 127.5).sub_(1).contiguous());
    }
}
