using Sora.Layers;

namespace Sora.Transformer;

/// <summary>
/// The image encoder's vectors brought to the network's width: norm, linear, GELU, linear, norm. Networks that take a
/// first and a last frame view the two images as one sequence and add learned positions to it (diffusers'
/// WanImageEmbedding).
/// </summary>
public sealed class ImageProjection
{
    // Torch's default: the config's eps belongs to the blocks alone.
    private const double Epsilon = 1e-5;

    private readonly long _imageWidth;
    private readonly Parameter? _positions;
    private readonly LayerNorm _norm1;
    private readonly Linear _linear1;
    private readonly Linear _linear2;
    private readonly LayerNorm _norm2;

    /// <summary>
    /// Takes <c>norm1</c>, <c>ff.net.0.proj</c>, <c>ff.net.2</c>, <c>norm2</c> and, where the config has a length for it,
    /// <c>pos_embed</c>.
    /// </summary>
    /// <param name="scope">The place of the parameters.</param>
    /// <param name="imageWidth">The width of the image encoder's vectors.</param>
    /// <param name="width">The network's width.</param>
    /// <param name="positions">The tokens of a first and a last image together; null where images stand alone.</param>
    public ImageProjection(ParameterScope scope, long imageWidth, long width, int? positions)
    {
        _imageWidth = imageWidth;
        _positions = positions is { } length ? scope.Float("pos_embed", [1, length, imageWidth], Initialization.Zero) : null;
        _norm1 = new(scope["norm1"], imageWidth, Epsilon);
        _linear1 = new(scope["ff.net.0.proj"], imageWidth, imageWidth);
        _linear2 = new(scope["ff.net.2"], imageWidth, width);
        _norm2 = new(scope["norm2"], width, Epsilon);
    }

    /// <summary>Maps [B, M, image width] to [B, M, D]; with positions, pairs [2·B, M, image width] to [B, 2·M, D].</summary>
    /// <exception cref="ArgumentException">The shape is another, or the images are not the pairs that the positions need.</exception>
    public Tensor Forward(Tensor images)
    {
        Shape.Require(images, $"B M {_imageWidth}");
        Tensor x = _positions is null ? images : Paired(images, _positions) + _positions;  // B M image width
        x = _linear1.Forward(_norm1.Forward(x));
        x = _linear2.Forward(nn.functional.gelu(x, TorchSharp.Modules.GELU.Approximate.none));
        return _norm2.Forward(x);                                                          // B M D
    }

    private static Tensor Paired(Tensor images, Parameter positions)
    {
        long length = positions.size(1);
        if (images.size(0) % 2 != 0 || images.size(1) * 2 != length)
            throw new ArgumentException($"images has shape [{string.Join(", ", images.shape)}]; this network takes pairs, a first and a last image "
                + $"of {length / 2} tokens each (pos_embed_seq_len {length}).", nameof(images));
        return images.reshape(-1, length, images.size(2));
    }
}
