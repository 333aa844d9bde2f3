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

    /// <summary>Maps a chunk [B, C, T, H, W] to the same shape.</summary>
    public Tensor Forward(Tensor x)
    {
        Tensor frames = FrameConv2d.ToFrames(x);                                          // BT C H W
        Tensor[] qkv = _queryKeyValue.Forward(_norm.Forward(frames)).flatten(2).transpose(1, 2).chunk(3, -1);
        Tensor h = nn.functional.scaled_dot_product_attention(qkv[0], qkv[1], qkv[2]);    // BT HW C
        h = _output.Forward(h.transpose(1, 2).reshape(frames.shape));                     // BT C H W
        return x + FrameConv2d.FromFrames(h, x.size(0));                                  // B C T H W
    }
}
