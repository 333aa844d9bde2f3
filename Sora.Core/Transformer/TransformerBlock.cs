using Sora.Layers;
using Sora.Patches;
using Sora.Weights;

namespace Sora.Transformer;

/// <summary>
/// Self-attention, cross-attention and a feed-forward layer. The first and the last are modulated by time (adaptive
/// norm with a zero-initialised gate, Peebles and Xie 2022): six vectors, the shared ones plus the block's own table.
/// </summary>
public sealed class TransformerBlock
{
    private readonly Parameter _table;
    private readonly LayerNorm _norm1;
    private readonly LayerNorm? _norm2;
    private readonly LayerNorm _norm3;
    private readonly SelfAttention _attention;
    private readonly CrossAttention _crossAttention;
    private readonly FeedForward _feedForward;
    private readonly ScalarType _computeType;

    /// <summary>Takes <c>attn1</c>, <c>attn2</c>, <c>norm2</c>, <c>ffn</c> and <c>scale_shift_table</c> [1, 6, D].</summary>
    public TransformerBlock(ParameterScope scope, WanTransformerConfig config)
    {
        long width = config.NumAttentionHeads * config.AttentionHeadDim;
        scope = scope.AllowInt8();
        _attention = new(scope["attn1"], config.NumAttentionHeads, width, config.Eps);
        _crossAttention = new(scope["attn2"], config.NumAttentionHeads, width, config.Eps, config.AddedKvProjDim);
        _feedForward = new(scope["ffn"], width, config.FfnDim);
        // Zero gates: with cross-attention's zero output a fresh block is the identity.
        _table = scope.Float("scale_shift_table", [1, 6, width], Initialization.Zero);
        _norm1 = new(width, config.Eps);
        _norm2 = config.CrossAttnNorm ? new(scope["norm2"], width, config.Eps) : null;
        _norm3 = new(width, config.Eps);
        _computeType = scope.ComputeType;
    }

    /// <summary>The keys and values of the text [B, L, D], and of the image tokens [B or 1, M, D], for this block.</summary>
    public TextKeys Keys(Tensor text, Tensor? image = null) =>
        _crossAttention.Keys(text) with { Image = image is null ? null : _crossAttention.ImageKeys(image) };

    /// <summary>Maps the residual stream [N, D], float32, to itself.</summary>
    /// <param name="x">The stream.</param>
    /// <param name="time">The shared modulation [rows, 6·D].</param>
    /// <param name="modulation">Which row each token reads.</param>
    /// <param name="text">This block's keys and values of the text, and of the image where there is one.</param>
    /// <param name="layout">The clips.</param>
    /// <param name="positions">The rotary positions.</param>
    public Tensor Forward(Tensor x, Tensor time, Modulation modulation, TextKeys text, PackedLayout layout, RotaryPositions positions)
    {
        Tensor[] m = (time.view(time.size(0), 6, -1) + _table).unbind(1);                // 6 × [rows, D]
        (Tensor shift1, Tensor scale1, Tensor gate1) = (m[0], m[1], m[2]);
        (Tensor shift3, Tensor scale3, Tensor gate3) = (m[3], m[4], m[5]);

        Tensor h = FusedKernels.NormModulate(x, _norm1, scale1, shift1, modulation, _computeType); // N D
        x = _attention.AddTo(x, h, layout, positions, gate1, modulation);                // N D
        h = _norm2 is null ? x : FusedKernels.Norm(x, _norm2, _computeType);             // N D
        x = _crossAttention.AddTo(x, h, text, layout);                                   // N D
        h = FusedKernels.NormModulate(x, _norm3, scale3, shift3, modulation, _computeType); // N D
        return _feedForward.AddTo(x, h, gate3, modulation);                              // N D
    }
}
