using Sora.Transformer;

namespace Sora.Layers;

/// <summary>x·Wᵀ + b, computed in the network's compute type whatever the input's.</summary>
public sealed class Linear
{
    private readonly Parameter? _weight;
    private readonly Int8Weight? _int8;
    private readonly Parameter? _bias;
    private readonly LowRankPair? _adapter;
    private readonly ScalarType _computeType;

    /// <summary>Takes <c>weight</c> [outputs, inputs] and <c>bias</c> [outputs].</summary>
    public Linear(ParameterScope scope, long inputs, long outputs, bool bias = true, Initialization? initialization = null)
        : this(scope, [outputs, inputs], bias, initialization ?? Initialization.Xavier(inputs, outputs), scope.ComputeType)
    {
    }

    private Linear(ParameterScope scope, long[] shape, bool bias, Initialization initialization, ScalarType computeType)
    {
        bool float32Part = computeType == float32 && scope.ComputeType != float32;
        if (scope.IsInt8 && shape.Length == 2 && !float32Part)
            _int8 = Int8Weight.Take(scope, shape, initialization);
        else
            _weight = float32Part ? scope.Float("weight", shape, initialization) : scope.Weight("weight", shape, initialization);
        long[] outputs = [shape[0]];
        _bias = !bias ? null
            : float32Part ? scope.Float("bias", outputs, Initialization.Zero)
            : scope.Weight("bias", outputs, Initialization.Zero);
        _adapter = shape.Length == 2 ? scope.Adapter(shape[1], shape[0]) : null;
        _computeType = computeType;
    }

    /// <summary>A layer that is held and computed in float32 whatever the network's types.</summary>
    public static Linear InFloat32(ParameterScope scope, long inputs, long outputs, Initialization? initialization = null) =>
        new(scope, [outputs, inputs], true, initialization ?? Initialization.Xavier(inputs, outputs), float32);

    /// <summary>A convolution whose kernel and stride are equal is a linear layer over flattened patches.</summary>
    /// <param name="scope">The place of <c>weight</c> [outputs, channels, (pt,) ph, pw] and <c>bias</c> [outputs].</param>
    /// <param name="outputs">The width that a patch becomes.</param>
    /// <param name="channels">The channels of the input.</param>
    /// <param name="patch">The patch's extent, (t, h, w) or (h, w).</param>
    /// <param name="bias">Whether there is a <c>bias</c>.</param>
    public static Linear OverPatches(ParameterScope scope, long outputs, long channels, IReadOnlyList<int> patch, bool bias = true)
    {
        long inputs = patch.Aggregate(channels, (product, extent) => product * extent);
        return new(scope, [outputs, channels, .. patch], bias, Initialization.Xavier(inputs, outputs), scope.ComputeType);
    }

    /// <summary>Maps [..., inputs] to [..., outputs] in the compute type.</summary>
    public Tensor Forward(Tensor x) => Product(x.to(_computeType));

    /// <summary>GELU, by its tanh approximation, of <see cref="Forward"/>.</summary>
    internal Tensor Gelu(Tensor x)
    {
        Tensor input = x.to(_computeType), rows = Rows(input);                                         // N inputs
        return CanFuse(rows)
            ? LikeRows(FusedKernels.LinearGelu(rows, Weight(), _bias?.to(_computeType)), x)
            : FusedKernels.Gelu(Product(input));
    }

    /// <summary>stream + gate·<see cref="Forward"/>, in float32; without a gate the sum of both.</summary>
    /// <param name="stream">The residual stream [N, outputs], float32.</param>
    /// <param name="x">[N, inputs].</param>
    /// <param name="gate">A table [rows, outputs]; null: 1.</param>
    /// <param name="modulation">Which of the table's rows each token reads; null without a gate.</param>
    internal Tensor AddTo(Tensor stream, Tensor x, Tensor? gate = null, Modulation? modulation = null)
    {
        Tensor input = x.to(_computeType);
        if (CanFuse(input))
            return FusedKernels.LinearAdd(stream, input, Weight(), _bias?.to(_computeType), gate, modulation);
        Tensor y = Product(input);                                                                     // N outputs
        return gate is null || modulation is null ? FusedKernels.Add(stream, y) : FusedKernels.AddGated(stream, y, gate, modulation);
    }

    private bool CanFuse(Tensor rows) => _weight is not null && _adapter is null && FusedKernels.CanFuseLinear(rows, Weight());

    private Tensor Product(Tensor x)
    {
        Tensor y = _int8 is null ? nn.functional.linear(x, Weight(), _bias?.to(_computeType)) : LikeRows(_int8.Product(Rows(x), _bias), x);
        return _adapter is null ? y : y + _adapter.Forward(x, _computeType);
    }

    private Tensor Weight() => (_weight!.ndim == 2 ? _weight : _weight.flatten(1)).to(_computeType);

    private static Tensor Rows(Tensor x) => x.ndim == 2 ? x : x.flatten(0, -2);

    private static Tensor LikeRows(Tensor y, Tensor x) => x.ndim == 2 ? y : y.view([.. x.shape[..^1], y.size(1)]);
}
