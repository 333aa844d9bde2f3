using Sora.Layers;

namespace Sora.Transformer;

/// <summary>The text encoder's vectors brought to the network's width: linear, tanh-GELU, linear.</summary>
public sealed class TextProjection
{
    private readonly Linear _linear1;
    private readonly Linear _linear2;

    /// <summary>Takes <c>linear_1</c> and <c>linear_2</c>.</summary>
    public TextProjection(ParameterScope scope, long textWidth, long width)
    {
        _linear1 = new(scope["linear_1"], textWidth, width);
        _linear2 = new(scope["linear_2"], width, width);
    }

    /// <summary>Maps [B, L, text width] to [B, L, D].</summary>
    public Tensor Forward(Tensor text) =>
        _linear2.Forward(_linear1.Gelu(text));
}
