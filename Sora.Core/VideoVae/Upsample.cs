using Sora.Layers;

namespace Sora.VideoVae;

/// <summary>
/// Doubles space and, where asked, time. A video's first frame stays one frame and is not seen by the temporal
/// convolution, which starts from zeros at the second.
/// </summary>
public sealed class Upsample
{
    private readonly FrameConv2d _space;
    private readonly CausalConv3d? _time;

    /// <summary>Takes <c>resample.1</c> and, where time is doubled, <c>time_conv</c>.</summary>
    public Upsample(ParameterScope scope, long channels, long outputs, bool temporal)
    {
        _space = new(scope["resample"][1], channels, outputs, 3, padding: 1);
        _time = temporal ? new(scope["time_conv"], channels, 2 * channels, 3, 1) : null;
    }

    /// <summary>Maps a chunk [B, C, T, H, W] to [B, C_out, T', 2H, 2W].</summary>
    public Tensor Forward(Tensor x, CausalCache cache)
    {
        Tensor h = _time is null ? x : DoubleTime(x, cache, _time);
        Tensor frames = FrameConv2d.ToFrames(h);                                           // BT C H W
        long n = frames.size(0), c = frames.size(1), height = frames.size(2), width = frames.size(3);
        Tensor nearest = frames.view(n, c, height, 1, width, 1).expand(n, c, height, 2, width, 2).reshape(n, c, 2 * height, 2 * width);
        return FrameConv2d.FromFrames(_space.Forward(nearest), x.size(0));                 // B C_out T' 2H 2W
    }

    private static Tensor DoubleTime(Tensor x, CausalCache cache, CausalConv3d time)
    {
        if (!cache.IsStart)
            return Interleave(time.Forward(x, cache));
        Tensor first = x.narrow(2, 0, 1);
        return x.size(2) == 1 ? first : cat([first, Interleave(time.Forward(x.narrow(2, 1, x.size(2) - 1), cache))], 2);
    }

    // The first half of the channels is the even frame, the second half the odd one.
    private static Tensor Interleave(Tensor x)
    {
        long b = x.size(0), c = x.size(1) / 2, t = x.size(2), h = x.size(3), w = x.size(4);
        return x.view(b, 2, c, t, h, w).permute(0, 2, 3, 1, 4, 5).reshape(b, c, 2 * t, h, w);
    }
}
