namespace Sora.Layers;

/// <summary>Zero mean and unit variance over the last axis, in float32, with a learned gain and offset or without.</summary>
public sealed class LayerNorm
{
    private readonly long[] _shape;
    private readonly double _epsilon;
    private readonly Parameter? _weight;
    private readonly Parameter? _bias;

    /// <summary>A norm with <c>weight</c> and <c>bias</c> [width].</summary>
    public LayerNorm(ParameterScope scope, long width, double epsilon) : this(width, epsilon)
    {
        _weight = scope.Float("weight", [width], Initialization.One);
        _bias = scope.Float("bias", [width], Initialization.Zero);
    }

    /// <summary>A norm without parameters.</summary>
    public LayerNorm(long width, double epsilon) => (_shape, _epsilon) = ([width], epsilon);

    /// <summary>The small number added to the variance.</summary>
    public double Epsilon => _epsilon;

    /// <summary>The gain [width]; null without parameters.</summary>
    public Parameter? Weight => _weight;

    /// <summary>The offset [width]; null without parameters.</summary>
    public Parameter? Bias => _bias;

    /// <summary>Normalises [..., width] to float32.</summary>
    public Tensor Forward(Tensor x) => nn.functional.layer_norm(x.to(float32), _shape, _weight, _bias, _epsilon);
}
