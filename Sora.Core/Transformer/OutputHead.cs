using Sora.Layers;
using Sora.Weights;

namespace Sora.Transformer;

/// <summary>The last norm, modulated by the time embedding itself, and the projection to patches.</summary>
public sealed class OutputHead
{
    private readonly Parameter _table;
    private readonly LayerNorm _norm;
    private readonly Linear _projection;
    private readonly ScalarType _computeType;

    /// <summary>Takes <c>scale_shift_table</c> [1, 2, D] and <c>proj_out</c>.</summary>
    public OutputHead(ParameterScope scope, WanTransformerConfig config)
    {
        long width = config.NumAttentionHeads * config.AttentionHeadDim;
        _norm = new(width, config.Eps);
        _computeType = scope.ComputeType;
        // Zero, so that a fresh network predicts zero velocity.
        _projection = new(scope["proj_out"], width, config.OutChannels * config.PatchSize.Aggregate(1, (a, b) => a * b), initialization: Initialization.Zero);
        _table = scope.Float("scale_shift_table", [1, 2, width], Initialization.Zero);
    }

    /// <summary>Maps [N, D] and the time embedding [rows, D] to patches [N, pt·ph·pw·C], float32.</summary>
    public Tensor Forward(Tensor x, Tensor embedding, Modulation modulation)
    {
        Tensor[] m = (embedding.unsqueeze(1) + _table).unbind(1);                        // 2 × [rows, D]
        Tensor h = FusedKernels.NormModulate(x, _norm, m[1], m[0], modulation, _computeType); // N D
        return _projection.Forward(h).to(float32);                                       // N P
    }
}
