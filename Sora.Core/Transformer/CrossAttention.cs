using Sora.Layers;
using Sora.Patches;

namespace Sora.Transformer;

/// <summary>
/// Attention from the patches of each clip to its text, without positions and without a mask: the padded rows of the
/// text take part, as they did when the published models were trained. Image-to-video networks attend to the image's
/// tokens with the same queries, and add what both give.
/// </summary>
public sealed class CrossAttention
{
    private static readonly string[] s_ofText =
        [".attn2.to_k.", ".attn2.to_v.", ".attn2.norm_k.", ".attn2.add_k_proj.", ".attn2.add_v_proj.", ".attn2.norm_added_k."];

    private readonly int _heads;
    private readonly Linear _query;
    private readonly Linear _key;
    private readonly Linear _value;
    private readonly Linear _output;
    private readonly RmsNorm _queryNorm;
    private readonly RmsNorm _keyNorm;
    private readonly Linear? _imageKey;
    private readonly Linear? _imageValue;
    private readonly RmsNorm? _imageKeyNorm;

    /// <summary>
    /// Takes <c>to_q</c>, <c>to_k</c>, <c>to_v</c>, <c>to_out.0</c>, <c>norm_q</c> and <c>norm_k</c>; with image tokens also
    /// <c>add_k_proj</c>, <c>add_v_proj</c> and <c>norm_added_k</c>.
    /// </summary>
    /// <param name="scope">The place of the parameters.</param>
    /// <param name="heads">The number of heads.</param>
    /// <param name="width">The network's width.</param>
    /// <param name="epsilon">The small number inside the norms.</param>
    /// <param name="imageWidth">The width of the image tokens; null in networks without.</param>
    public CrossAttention(ParameterScope scope, int heads, long width, double epsilon, long? imageWidth = null)
    {
        _heads = heads;
        _query = new(scope["to_q"], width, width);
        _key = new(scope["to_k"], width, width);
        _value = new(scope["to_v"], width, width);
        // Zero, so that a fresh block is the identity.
        _output = new(scope["to_out.0"], width, width, initialization: Initialization.Zero);
        _queryNorm = new(scope["norm_q"], width, epsilon);
        _keyNorm = new(scope["norm_k"], width, epsilon);
        if (imageWidth is not { } inputs)
            return;
        _imageKey = new(scope["add_k_proj"], inputs, width);
        _imageValue = new(scope["add_v_proj"], inputs, width);
        _imageKeyNorm = new(scope["norm_added_k"], width, epsilon);
    }

    /// <summary>Whether a parameter of this layer serves the keys and values of text and image, computed before all blocks.</summary>
    internal static bool IsOfText(string name) =>
        s_ofText.Any(part => name.Contains(part, StringComparison.Ordinal));

    /// <summary>The keys and values of the text [B, L, D]: they do not change between steps.</summary>
    public TextKeys Keys(Tensor text) =>
        new(FusedKernels.RmsNorm(_key.Forward(text), _keyNorm), _value.Forward(text));

    /// <summary>The keys and values of image tokens [B, M, D], which do not change between steps either.</summary>
    /// <exception cref="InvalidOperationException">The network has no image tokens.</exception>
    public ImageKeys ImageKeys(Tensor image) =>
        _imageKey is null || _imageValue is null || _imageKeyNorm is null
            ? throw new InvalidOperationException("This network has no image tokens.")
            : new(FusedKernels.RmsNorm(_imageKey.Forward(image), _imageKeyNorm), _imageValue.Forward(image));

    /// <summary>
    /// Adds the result of x [N, D] to the residual stream [N, D], float32; clip i reads text i and image i, or the one that all share.
    /// </summary>
    public Tensor AddTo(Tensor stream, Tensor x, TextKeys text, PackedLayout layout)
    {
        Tensor q = FusedKernels.RmsNorm(_query.Forward(x), _queryNorm);     // N D
        Tensor mixed = Attend(q, text.Keys, text.Values, layout);           // N D
        if (text.Image is { } image)
            mixed += Attend(q, image.Keys, image.Values, layout);           // N D
        return _output.AddTo(stream, mixed);                                // N D
    }

    private Tensor Attend(Tensor q, Tensor keys, Tensor values, PackedLayout layout)
    {
        if (keys.size(0) == 1)
            return FusedKernels.Attention(q.unsqueeze(0), keys, values, _heads).view(q.shape);
        if (layout.IsUniform)
            return FusedKernels.Attention(q.view(layout.Clips, -1, q.size(1)), keys, values, _heads).view(q.shape);
        return cat([.. layout.Runs.Select(run => FusedKernels.Attention(
            q.narrow(0, run.Offset, run.Count).view(run.Clips, -1, q.size(1)),
            keys.narrow(0, run.FirstClip, run.Clips), values.narrow(0, run.FirstClip, run.Clips), _heads).view(run.Count, -1))], 0);
    }
}

/// <summary>The keys and values that one block computes from the text, [B, L, D] each.</summary>
/// <param name="Keys">The normalised keys.</param>
/// <param name="Values">The values.</param>
/// <param name="Image">Those of the image; null in networks without image tokens.</param>
public sealed record TextKeys(Tensor Keys, Tensor Values, ImageKeys? Image = null);

/// <summary>The keys and values that one block computes from the image tokens, [B, M, D] each; B is 1 where all clips share them.</summary>
/// <param name="Keys">The normalised keys.</param>
/// <param name="Values">The values.</param>
public sealed record ImageKeys(Tensor Keys, Tensor Values);
