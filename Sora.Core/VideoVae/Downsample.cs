using Sora.Layers;

namespace Sora.VideoVae;

/// <summary>
/// Halves space and, where asked, time. A video's first frame stays a frame of its own; every later pair becomes one.
/// </summary>
public sealed class Downsample
{
    private readonly FrameConv2d _space;
    private readonly CausalConv3d? _time;

    /// <summary>Takes <c>resample.1</c> and, where time is halved, <c>time_conv</c>.</summary>
    public Downsample(ParameterScope scope, long channels, bool temporal)
    {
        _space = new(scope["resample"][1], channels, channels, 3, stride: 2);
        _time = temporal ? new(scope["time_conv"], channels, channels, 3, 1) : null;
    }

    /// <summary>Maps a chunk [B, C, T, H, W] to [B, C, T', H/2, W/2].</summary>
    public Tensor Forward(Tensor x, CausalCache cache)
    {
        Tensor padded = nn.functional.pad(FrameConv2d.ToFrames(x), [0, 1, 0, 1]);          // right and bottom
        Tensor h = FrameConv2d.FromFrames(_space.Forward(padded), x.size(0));              // B C T H/2 W/2
        if (_time is null)
            return h;
        Tensor? last = cache.Get(this);
        Tensor? joined = last is null ? null : cat([last, h], 2);
        cache.Set(this, h.narrow(2, h.size(2) - 1, 1));
        if (joined is not null)
            return _time.Convolve(joined, 2);
        Tensor first = h.narrow(2, 0, 1);
        return h.size(2) == 1 ? first : cat([first, _time.Convolve(h, 2)], 2);
    }
}
