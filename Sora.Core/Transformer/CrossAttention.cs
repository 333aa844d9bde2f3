using Sora.Layers;
using Sora.Patches;

namespace Sora.Transformer;

/// <summary>
/// Attention from the patches of each clip to its text, without positions and without a mask: the padded rows of the
/// text take part, as they did when the published models were trained.
/// </summary>
public sealed class CrossAttention
{
    private readonly int _heads;
    private readonly Linear _query;
    private readonly Linear _key;
    private readonly Linear _value;
    private readonly Linear _output;
    private readonly RmsNorm _queryNorm;
    private readonly RmsNorm _keyNorm;

    /// <summary>Takes <c>to_q</c>, <c>to_k</c>, <c>to_v</c>, <c>to_out.0</c>, <c>norm_q</c> and <c>norm_k</c>.</summary>
    public CrossAttention(ParameterScope scope, int heads, long width, double epsilon)
    {
        _heads = heads;
        _query = new(scope["to_q"], width, width);
        _key = new(scope["to_k"], width, width);
        _value = new(scope["to_v"], width, width);
        // Zero, so that a fresh block is the identity.
        _output = new(scope["to_out.0"], width, width, initialization: Initialization.Zero);
        _queryNorm = new(scope["norm_q"], width, epsilon);
        _keyNorm = new(scope["norm_k"], width, epsilon);
    }

    /// <summary>The keys and values of the text [B, L, D]: they do not change between steps.</summary>
    public TextKeys Keys(Tensor text) =>
        new(FusedKernels.RmsNorm(_key.Forward(text), _keyNorm), _value.Forward(text));

    /// <summary>Maps [N, D] to [N, D] in the compute type; clip i reads text i.</summary>
    public Tensor Forward(Tensor x, TextKeys text, PackedLayout layout)
    {
        Tensor q = FusedKernels.RmsNorm(_query.Forward(x), _queryNorm);     // N D
        if (layout.IsUniform)
        {
            Tensor all = FusedKernels.Attention(q.view(layout.Clips, -1, q.size(1)), text.Keys, text.Values, _heads);
            return _output.Forward(all.view(q.shape));                      // N D
        }
        var parts = new Tensor[layout.Clips];
        for (int clip = 0; clip < layout.Clips; clip++)
        {
            Tensor part = q.narrow(0, layout.Offset(clip), layout.Grid(clip).Count).unsqueeze(0);
            parts[clip] = FusedKernels.Attention(part, text.Keys.narrow(0, clip, 1), text.Values.narrow(0, clip, 1), _heads).squeeze(0);
        }
        return _output.Forward(cat(parts, 0));                              // N D
    }
}

/// <summary>The keys and values that one block computes from the text, [B, L, D] each.</summary>
/// <param name="Keys">The normalised keys.</param>
/// <param name="Values">The values.</param>
public sealed record TextKeys(Tensor Keys, Tensor Values);
