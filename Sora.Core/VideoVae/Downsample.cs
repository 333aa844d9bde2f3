using Sora.Layers;

namespace Sora.VideoVae;

/// <summary>
/// Halves space and, where asked, time. A video's first frame stays a frame of its own; every later pair becomes one.
/// </summary>
public sealed class Downsample
{
    private readonly string _name;
    private readonly FrameConv2d _space;
    private readonly CausalConv3d? _time;

    /// <summary>Takes <c>resample.1</c> and, where time is halved, <c>time_conv</c>.</summary>
    public Downsample(ParameterScope scope, long channels, bool temporal)
    {
        _name = scope.NameOf("resample");
        _space = new(scope["resample"][1], channels, channels, 3, stride: 2);
        _time = temporal ? new(scope["time_conv"], channels, channels, 3, 1) : null;
    }

    /// <summary>Maps a chunk [B, T, H, W, C] to [B, T', H/2, W/2, C].</summary>
    public Tensor Forward(Tensor x, CausalCache cache)
    {
        Tensor h = _space.Forward(nn.functional.pad(x, [0, 0, 0, 1, 0, 1]));               // right and bottom
        if (_time is null)
            return h;
        Tensor? last = cache.Get(_name);
        Tensor all = last is null ? h : cat([last, h], 1);
        cache.Set(_name, h.narrow(1, h.size(1) - 1, 1));
        if (last is not null)
            return _time.Convolve(all, 2);
        Tensor first = h.narrow(1, 0, 1);
        return h.size(1) == 1 ? first : cat([first, _time.Convolve(h, 2)], 1);
    }
}
