using Sora.Layers;

namespace Sora.VideoVae;

/// <summary>Residual block, attention, residual block at the smallest size.</summary>
public sealed class MiddleBlock
{
    private readonly ResidualBlock _first;
    private readonly FrameAttention _attention;
    private readonly ResidualBlock _second;

    /// <summary>Takes <c>resnets.0</c>, <c>attentions.0</c> and <c>resnets.1</c>.</summary>
    public MiddleBlock(ParameterScope scope, long channels)
    {
        _first = new(scope["resnets"][0], channels, channels);
        _attention = new(scope["attentions"][0], channels);
        _second = new(scope["resnets"][1], channels, channels);
    }

    /// <summary>Maps a chunk [B, T, H, W, C] to the same shape.</summary>
    public Tensor Forward(Tensor x, CausalCache cache) =>
        _second.Forward(_attention.Forward(_first.Forward(x, cache)), cache);
}
