using Sora.Layers;

namespace Sora.VideoVae;

/// <summary>
/// A 3-D convolution that sees no future: time is padded on the left only, with zeros at the start of a video and with
/// the last frames of the chunk before afterwards. Space is padded on both sides.
/// <para>
/// It works on channels-last frames [B, T, H, W, C]. On processors with matrix tiles, and on those without AVX512, the engine's own
/// kernel reads them as they are (<see cref="FusedKernels.Convolve"/>). Elsewhere, and in training, each frame and the two before it are laid side by side in the
/// channels, and one 2-D convolution of 3·C channels does the rest: the same sum, in the layout in which the processor's
/// matrix units read it without reordering.
/// </para>
/// </summary>
public sealed class CausalConv3d
{
    private readonly ParameterScope _scope;
    private readonly string _name;
    private readonly Parameter _weight;
    private readonly Parameter _bias;
    private readonly int _past;
    private readonly long _padding;
    private Tensor? _prepared;
    private Tensor? _tapsFirst;

    /// <summary>Takes <c>weight</c> [outputs, inputs, kt, k, k] and <c>bias</c>.</summary>
    public CausalConv3d(ParameterScope scope, long inputs, long outputs, int temporalKernel, int spatialKernel, Initialization? initialization = null)
    {
        long fanIn = inputs * temporalKernel * spatialKernel * spatialKernel;
        _scope = scope;
        _name = scope.NameOf("weight");
        _weight = scope.Weight("weight", [outputs, inputs, temporalKernel, spatialKernel, spatialKernel], initialization ?? Initialization.FanIn(fanIn));
        _bias = scope.Weight("bias", [outputs], Initialization.Zero);
        _past = temporalKernel - 1;
        _padding = spatialKernel / 2;
    }

    /// <summary>Maps a chunk [B, T, H, W, C] to [B, T, H, W, C_out].</summary>
    public Tensor Forward(Tensor x, CausalCache cache)
    {
        if (_past == 0)
            return Convolve(x, 1);
        Tensor past = cache.Get(_name) ?? zeros([x.size(0), _past, x.size(2), x.size(3), x.size(4)], x.dtype, x.device);
        Tensor all = cat([past, x], 1);                                    // B past+T H W C
        cache.Set(_name, all.narrow(1, all.size(1) - _past, _past));
        return Convolve(all, 1);
    }

    /// <summary>The convolution without any padding of time, at a temporal stride.</summary>
    internal Tensor Convolve(Tensor x, long stride)
    {
        Tensor frames = x.to(_scope.ComputeType);
        if (_padding > 0 && FusedKernels.CanConvolve(frames, _weight))
            return FusedKernels.Convolve(frames, TapsFirst(), _bias.to(_scope.ComputeType), stride);
        Tensor windows = _past == 0 ? frames : FusedKernels.TimeWindows(frames, _past + 1, stride); // B T H W kt·C
        Tensor bias = _bias.to(_scope.ComputeType);
        return _padding == 0 ? nn.functional.linear(windows, Weight().flatten(1), bias) : FrameConv2d.Convolve(windows, Weight(), bias, 1, _padding);
    }

    // [outputs, kt, k, k, C]; computed once where the weight does not change.
    private Tensor TapsFirst()
    {
        if (_tapsFirst is not null)
            return _tapsFirst;
        Tensor weight = FusedKernels.ConvolutionKernel(_weight.to(_scope.ComputeType));
        return _weight.requires_grad ? weight : _tapsFirst = _scope.Own(weight);
    }

    // [outputs, kt·C, k, k]; computed once where the weight does not change.
    private Tensor Weight()
    {
        if (_prepared is not null)
            return _prepared;
        Tensor weight = _weight.to(_scope.ComputeType).permute(0, 2, 1, 3, 4).flatten(1, 2);
        return _weight.requires_grad ? weight : _prepared = _scope.Own(weight.contiguous());
    }
}
