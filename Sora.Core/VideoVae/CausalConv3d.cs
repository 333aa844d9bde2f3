using Sora.Layers;

namespace Sora.VideoVae;

/// <summary>
/// A 3-D convolution that sees no future: time is padded on the left only, with zeros at the start of a video and with
/// the last frames of the chunk before afterwards. Space is padded on both sides.
/// </summary>
public sealed class CausalConv3d
{
    private readonly Parameter _weight;
    private readonly Parameter _bias;
    private readonly ScalarType _computeType;
    private readonly int _past;
    private readonly long[] _padding;

    /// <summary>Takes <c>weight</c> [outputs, inputs, k, k, k] (or [.., kt, 1, 1]) and <c>bias</c>.</summary>
    public CausalConv3d(ParameterScope scope, long inputs, long outputs, int temporalKernel, int spatialKernel, Initialization? initialization = null)
    {
        long fanIn = inputs * temporalKernel * spatialKernel * spatialKernel;
        _weight = scope.Weight("weight", [outputs, inputs, temporalKernel, spatialKernel, spatialKernel], initialization ?? Initialization.FanIn(fanIn));
        _bias = scope.Weight("bias", [outputs], Initialization.Zero);
        _computeType = scope.ComputeType;
        _past = temporalKernel - 1;
        _padding = [0, spatialKernel / 2, spatialKernel / 2];
    }

    /// <summary>Maps a chunk [B, C, T, H, W] to [B, C_out, T, H, W].</summary>
    public Tensor Forward(Tensor x, CausalCache cache)
    {
        if (_past == 0)
            return Convolve(x, 1);
        Tensor past = cache.Get(this) ?? zeros([x.size(0), x.size(1), _past, x.size(3), x.size(4)], x.dtype, x.device);
        Tensor all = cat([past, x], 2);                                    // B C past+T H W
        cache.Set(this, all.narrow(2, all.size(2) - _past, _past));
        return Convolve(all, 1);
    }

    /// <summary>The convolution without any padding of time, at a temporal stride.</summary>
    internal Tensor Convolve(Tensor x, long stride) => nn.functional.conv3d(
        x.to(_computeType), _weight.to(_computeType), _bias.to(_computeType), [stride, 1, 1], _padding);
}
