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

    /// <summary>Maps a chunk [B, T, H, W, C] to [B, T', 2H, 2W, C_out].</summary>
    public Tensor Forward(Tensor x, CausalCache cache)
    {
        Tensor h = _time is null ? x : DoubleTime(x, cache, _time);
        long b = h.size(0), t = h.size(1), height = h.size(2), width = h.size(3), c = h.size(4);
        Tensor nearest = h.reshape(b * t, height, 1, width, 1, c).expand(b * t, height, 2, width, 2, c).reshape(b, t, 2 * height, 2 * width, c);
        return _space.Forward(nearest);                                                    // B T' 2H 2W C_out
    }

    private static Tensor DoubleTime(Tensor x, CausalCache cache, CausalConv3d time)
    {
        if (!cache.IsStart)
            return Interleave(time.Forward(x, cache));
        Tensor first = x.narrow(1, 0, 1);
        return x.size(1) == 1 ? first : cat([first, Interleave(time.Forward(x.narrow(1, 1, x.size(1) - 1), cache))], 1);
    }

    // The first half of the channels is the even frame, the second half the odd one.
    private static Tensor Interleave(Tensor x)
    {
        long b = x.size(0), t = x.size(1), h = x.size(2), w = x.size(3), c = x.size(4) / 2;
        return x.reshape(b, t, h, w, 2, c).permute(0, 1, 4, 2, 3, 5).reshape(b, 2 * t, h, w, c);
    }
}
