using Sora.Layers;

namespace Sora.VideoVae;

/// <summary>
/// x / max(‖x‖₂, 1e-12) · √C · γ, the norm taken over the channels at each point, in float32. There is no ε inside the
/// root and no offset.
/// </summary>
public sealed class ChannelNorm
{
    /// <summary>Takes <c>gamma</c> [channels, 1, 1, 1], or [channels, 1, 1] for frames.</summary>
    public ChannelNorm(ParameterScope scope, long channels, bool frames = false) =>
        Gamma = scope.Float("gamma", frames ? [channels, 1, 1] : [channels, 1, 1, 1], Initialization.One);

    /// <summary>The gain.</summary>
    public Parameter Gamma { get; }

    /// <summary>Normalises [..., C], in the input's type.</summary>
    public Tensor Forward(Tensor x) => FusedKernels.ChannelNorm(x, this, silu: false);

    /// <summary>The norm followed by x·sigmoid(x).</summary>
    public Tensor ForwardSilu(Tensor x) => FusedKernels.ChannelNorm(x, this, silu: true);
}
