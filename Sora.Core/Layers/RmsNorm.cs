namespace Sora.Layers;

/// <summary>x / √(mean x² + ε) · weight over the last axis, in float32 (Zhang, Sennrich 2019).</summary>
public sealed class RmsNorm
{
    private readonly double _epsilon;

    /// <summary>Takes <c>weight</c> [width].</summary>
    public RmsNorm(ParameterScope scope, long width, double epsilon)
    {
        Weight = scope.Float("weight", [width], Initialization.One);
        _epsilon = epsilon;
    }

    /// <summary>The gain [width].</summary>
    public Parameter Weight { get; }

    /// <summary>The small number added to the mean square.</summary>
    public double Epsilon => _epsilon;

    /// <summary>Normalises [..., width] to float32.</summary>
    public Tensor Forward(Tensor x)
    {
        Tensor wide = x.to(float32);
        Tensor meanSquare = wide.square().mean([-1], keepdim: true);
        return wide * (meanSquare + _epsilon).rsqrt() * Weight;
    }
}
