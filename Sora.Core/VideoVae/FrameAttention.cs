using Sora.Layers;

namespace Sora.VideoVae;

/// <summary>Attention of one head among the points of each frame, added to the input.</summary>
public sealed class FrameAttention
{
    private readonly ChannelNorm _norm;
    private readonly FrameConv2d _queryKeyValue;
    private readonly FrameConv2d _output;

    /// <summary>Takes <c>norm</c>, <c>to_qkv</c> and <c>proj</c>.</summary>
    public FrameAttention(ParameterScope scope, long channels)
    {
        _norm = new(scope["norm"], channels, frames: true);
        _queryKeyValue = new(scope["to_qkv"], channels, 3 * channels, 1);
        _output = new(scope["proj"], channels, channels, 1);
    }

    /// <summary>Maps a chunk [B, T, H, W, C] to the same shape.</summary>
    public Tensor Forward(Tensor x)
    {
        Tensor[] qkv = _queryKeyValue.Forward(_norm.Forward(x)).flatten(0, 1).flatten(1, 2).unsqueeze(1).chunk(3, -1); // BT 1 HW C
        Tensor h = nn.functional.scaled_dot_product_attention(qkv[0], qkv[1], qkv[2]);    // BT 1 HW C
        return x + _output.Forward(h.reshape(x.shape));                                   // B T H W C
    }
}
