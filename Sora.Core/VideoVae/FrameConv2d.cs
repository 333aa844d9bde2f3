using Sora.Layers;

namespace Sora.VideoVae;

/// <summary>A 2-D convolution of every frame on its own.</summary>
public sealed class FrameConv2d
{
    private readonly Parameter _weight;
    private readonly Parameter _bias;
    private readonly ScalarType _computeType;
    private readonly long[] _stride;
    private readonly long[] _padding;

    /// <summary>Takes <c>weight</c> [outputs, inputs, k, k] and <c>bias</c>.</summary>
    public FrameConv2d(ParameterScope scope, long inputs, long outputs, int kernel, int stride = 1, int padding = 0)
    {
        _weight = scope.Weight("weight", [outputs, inputs, kernel, kernel], Initialization.FanIn(inputs * kernel * kernel));
        _bias = scope.Weight("bias", [outputs], Initialization.Zero);
        _computeType = scope.ComputeType;
        _stride = [stride, stride];
        _padding = [padding, padding];
    }

    /// <summary>Maps frames [B·T, C, H, W].</summary>
    public Tensor Forward(Tensor frames) => nn.functional.conv2d(
        frames.to(_computeType), _weight.to(_computeType), _bias.to(_computeType), _stride, _padding);

    /// <summary>[B, C, T, H, W] as frames [B·T, C, H, W].</summary>
    internal static Tensor ToFrames(Tensor x) =>
        x.transpose(1, 2).reshape(x.size(0) * x.size(2), x.size(1), x.size(3), x.size(4));

    /// <summary>Frames [B·T, C, H, W] as [B, C, T, H, W].</summary>
    internal static Tensor FromFrames(Tensor frames, long batch) =>
        frames.view(batch, -1, frames.size(1), frames.size(2), frames.size(3)).transpose(1, 2);
}
