using Sora.Layers;
using Sora.Weights;

namespace Sora.Conditioning;

/// <summary>Self-attention, then a feed-forward layer, each on a normalised input.</summary>
public sealed class ClipVisionLayer
{
    private readonly int _heads;
    private readonly bool _quickGelu;
    private readonly LayerNorm _norm1;
    private readonly Linear _query;
    private readonly Linear _key;
    private readonly Linear _value;
    private readonly Linear _output;
    private readonly LayerNorm _norm2;
    private readonly Linear _in;
    private readonly Linear _out;

    /// <summary>Takes <c>layer_norm1</c>, <c>self_attn</c>, <c>layer_norm2</c> and <c>mlp</c>.</summary>
    public ClipVisionLayer(ParameterScope scope, ClipVisionConfig config)
    {
        long width = config.HiddenSize;
        ParameterScope attention = scope["self_attn"];
        _heads = config.NumAttentionHeads;
        _quickGelu = config.HiddenAct == ClipVisionConfig.QuickGelu;
        _norm1 = new(scope["layer_norm1"], width, config.LayerNormEps);
        _query = new(attention["q_proj"], width, width);
        _key = new(attention["k_proj"], width, width);
        _value = new(attention["v_proj"], width, width);
        _output = new(attention["out_proj"], width, width);
        _norm2 = new(scope["layer_norm2"], width, config.LayerNormEps);
        _in = new(scope["mlp.fc1"], width, config.IntermediateSize);
        _out = new(scope["mlp.fc2"], config.IntermediateSize, width);
    }

    /// <summary>Maps [B, L, D] to [B, L, D], float32.</summary>
    public Tensor Forward(Tensor x)
    {
        Tensor h = _norm1.Forward(x);                                                        // B L D
        h = FusedKernels.Attention(_query.Forward(h), _key.Forward(h), _value.Forward(h), _heads);
        x = x + _output.Forward(h);                                                          // B L D
        h = Activate(_in.Forward(_norm2.Forward(x)));                                        // B L F
        return x + _out.Forward(h);                                                          // B L D
    }

    private Tensor Activate(Tensor x) =>
        _quickGelu ? x * (x * 1.702).sigmoid() : nn.functional.gelu(x, TorchSharp.Modules.GELU.Approximate.none);
}
