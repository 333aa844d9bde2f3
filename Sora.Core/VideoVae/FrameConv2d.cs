using Sora.Layers;

namespace Sora.VideoVae;

/// <summary>A 2-D convolution of every frame on its own, on channels-last frames [B, T, H, W, C].</summary>
public sealed class FrameConv2d
{
    private readonly Parameter _weight;
    private readonly Parameter _bias;
    private readonly ScalarType _computeType;
    private readonly int _stride;
    private readonly int _padding;

    /// <summary>Takes <c>weight</c> [outputs, inputs, k, k] and <c>bias</c>.</summary>
    public FrameConv2d(ParameterScope scope, long inputs, long outputs, int kernel, int stride = 1, int padding = 0, Initialization? initialization = null)
    {
        _weight = scope.Weight("weight", [outputs, inputs, kernel, kernel], initialization ?? Initialization.FanIn(inputs * kernel * kernel));
        _bias = scope.Weight("bias", [outputs], Initialization.Zero);
        _computeType = scope.ComputeType;
        _stride = stride;
        _padding = padding;
    }

    /// <summary>Maps frames [B, T, H, W, C] to [B, T, H', W', C_out].</summary>
    public Tensor Forward(Tensor x)
    {
        Tensor frames = x.to(_computeType), weight = _weight.to(_computeType), bias = _bias.to(_computeType);
        if (weight.size(3) == 1 && _stride == 1)
            return nn.functional.linear(frames, weight.flatten(1), bias);
        return _stride == 1 && _padding == weight.size(3) / 2 && FusedKernels.CanConvolve(frames, weight)
            ? FusedKernels.Convolve(frames, FusedKernels.ConvolutionKernel(weight.unsqueeze(2)), bias, 1)
            : Convolve(frames, weight, bias, _stride, _padding);
    }

    /// <summary>Convolves [B, T, H, W, C] with [C_out, C, k, k].</summary>
    internal static Tensor Convolve(Tensor x, Tensor weight, Tensor bias, long stride, long padding)
    {
        // The permuted view is what torch calls channels-last; the result comes in the same layout.
        Tensor y = nn.functional.conv2d(x.flatten(0, 1).permute(0, 3, 1, 2), weight, bias, [stride, stride], [padding, padding])
            .permute(0, 2, 3, 1).contiguous();                                           // BT H' W' C_out
        return y.view(x.size(0), x.size(1), y.size(1), y.size(2), y.size(3));
    }
}
