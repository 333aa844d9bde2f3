using Sora.Layers;

namespace Sora.VideoVae;

/// <summary>Twice norm, SiLU and causal convolution, added to the input.</summary>
public sealed class ResidualBlock
{
    private readonly ChannelNorm _norm1;
    private readonly CausalConv3d _conv1;
    private readonly ChannelNorm _norm2;
    private readonly CausalConv3d _conv2;
    private readonly CausalConv3d? _shortcut;

    /// <summary>Takes <c>norm1</c>, <c>conv1</c>, <c>norm2</c>, <c>conv2</c> and, where the width changes, <c>conv_shortcut</c>.</summary>
    public ResidualBlock(ParameterScope scope, long inputs, long outputs)
    {
        _norm1 = new(scope["norm1"], inputs);
        _conv1 = new(scope["conv1"], inputs, outputs, 3, 3);
        _norm2 = new(scope["norm2"], outputs);
        // Zero, so that a fresh block passes its input on.
        _conv2 = new(scope["conv2"], outputs, outputs, 3, 3, Initialization.Zero);
        _shortcut = inputs == outputs ? null : new(scope["conv_shortcut"], inputs, outputs, 1, 1);
    }

    /// <summary>Maps a chunk [B, T, H, W, C] to [B, T, H, W, C_out].</summary>
    public Tensor Forward(Tensor x, CausalCache cache) => InScope.Run(x, y => Blocks(y, cache));

    // The windows that a convolution reads are three times its input: freed before the next makes its own.
    private Tensor Blocks(Tensor x, CausalCache cache)
    {
        Tensor h = InScope.Run(x, y => _conv1.Forward(_norm1.ForwardSilu(y), cache));
        h = InScope.Run(h, y => _conv2.Forward(_norm2.ForwardSilu(y), cache));
        return h + (_shortcut is null ? x : _shortcut.Forward(x, cache));
    }
}
