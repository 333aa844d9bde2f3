using Sora.Layers;
using Sora.Weights;

namespace Sora.Text;

/// <summary>Self-attention with relative positions, then a gated feed-forward layer, each on a normalised input.</summary>
public sealed class UMT5Layer
{
    private readonly int _heads;
    private readonly RmsNorm _attentionNorm;
    private readonly Linear _query;
    private readonly Linear _key;
    private readonly Linear _value;
    private readonly Linear _output;
    private readonly Parameter _positionBias;
    private readonly RmsNorm _feedForwardNorm;
    private readonly Linear _gate;
    private readonly Linear _up;
    private readonly Linear _down;

    /// <summary>Takes <c>0.SelfAttention</c>, <c>0.layer_norm</c>, <c>1.DenseReluDense</c> and <c>1.layer_norm</c>.</summary>
    public UMT5Layer(ParameterScope scope, UMT5Config config)
    {
        long width = config.DModel, inner = config.NumHeads * config.DKv;
        ParameterScope attention = scope[0]["SelfAttention"];
        ParameterScope dense = scope[1]["DenseReluDense"];
        _heads = config.NumHeads;
        _attentionNorm = new(scope[0]["layer_norm"], width, config.LayerNormEpsilon);
        // T5's own deviations: the missing attention scale lives in the queries.
        _query = new(attention["q"], width, inner, false, Initialization.Normal(Math.Pow(inner * config.DKv, -0.5)));
        _key = new(attention["k"], width, inner, false, Initialization.Normal(Math.Pow(width, -0.5)));
        _value = new(attention["v"], width, inner, false, Initialization.Normal(Math.Pow(width, -0.5)));
        _output = new(attention["o"], inner, width, false, Initialization.Normal(Math.Pow(inner, -0.5)));
        _positionBias = attention["relative_attention_bias"].Float("weight", [config.RelativeAttentionNumBuckets, _heads], Initialization.Normal(Math.Pow(width, -0.5)));
        _feedForwardNorm = new(scope[1]["layer_norm"], width, config.LayerNormEpsilon);
        _gate = new(dense["wi_0"], width, config.DFf, false, Initialization.Normal(Math.Pow(width, -0.5)));
        _up = new(dense["wi_1"], width, config.DFf, false, Initialization.Normal(Math.Pow(width, -0.5)));
        _down = new(dense["wo"], config.DFf, width, false, Initialization.Normal(Math.Pow(config.DFf, -0.5)));
    }

    /// <summary>Maps [B, L, D] to [B, L, D], float32.</summary>
    /// <param name="x">The residual stream.</param>
    /// <param name="positions">How far tokens are from each other, and which are padding.</param>
    public Tensor Forward(Tensor x, RelativePositions positions)
    {
        Tensor h = _attentionNorm.Forward(x);
        Tensor q = Heads(_query.Forward(h)), k = Heads(_key.Forward(h)), v = Heads(_value.Forward(h)); // B heads L d
        Tensor mixed = FusedKernels.RelativeAttention(q, k, v, _positionBias, positions); // B heads L d
        x = x + _output.Forward(mixed.transpose(1, 2).flatten(2));                        // B L D
        h = _feedForwardNorm.Forward(x);
        h = _gate.Gelu(h) * _up.Forward(h);
        return x + _down.Forward(h);                                                      // B L D
    }

    private Tensor Heads(Tensor x) => x.view(x.size(0), x.size(1), _heads, -1).transpose(1, 2);
}
