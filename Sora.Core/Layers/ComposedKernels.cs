using Sora.Patches;
using Sora.Text;
using Sora.Transformer;
using Sora.VideoVae;

namespace Sora.Layers;

/// <summary>The operations of <see cref="FusedKernels"/> composed from ordinary operators.</summary>
internal static class ComposedKernels
{
    /// <summary>LayerNorm without parameters, then ·(1 + scale) + shift: [N, D] → [N, D].</summary>
    public static Tensor NormModulate(Tensor x, LayerNorm norm, Tensor scale, Tensor shift, Modulation modulation, ScalarType type) =>
        modulation.ScaleShift(norm.Forward(x), scale, shift).to(type);

    /// <summary>GELU by its tanh approximation, in x's type.</summary>
    public static Tensor Gelu(Tensor x) => nn.functional.gelu(x, TorchSharp.Modules.GELU.Approximate.tanh);

    /// <summary>x + gate·y in float32: [N, D].</summary>
    public static Tensor AddGated(Tensor x, Tensor y, Tensor gate, Modulation modulation) =>
        modulation.AddGated(x, y, gate);

    /// <summary>RMS norm over the last axis, in x's type.</summary>
    public static Tensor RmsNorm(Tensor x, RmsNorm norm) => norm.Forward(x).to(x.dtype);

    /// <summary>RMS norm over all heads, then the rotary turn of each head's pairs: [N, D] → [N, D].</summary>
    public static Tensor RmsNormRotary(Tensor x, RmsNorm norm, RotaryPositions positions, int heads)
    {
        Tensor pairs = norm.Forward(x).view(x.size(0), heads, -1, 2);                     // N heads d/2 2
        Tensor cos = positions.Cos.unsqueeze(1), sin = positions.Sin.unsqueeze(1);        // N 1 d/2
        Tensor even = pairs.select(-1, 0), odd = pairs.select(-1, 1);                     // N heads d/2
        Tensor turned = stack([(even * cos) - (odd * sin), (even * sin) + (odd * cos)], -1);
        return turned.view(x.shape).to(x.dtype);
    }

    /// <summary>The channel norm of [..., C], then x·sigmoid(x) where asked.</summary>
    public static Tensor ChannelNorm(Tensor x, ChannelNorm norm, bool silu)
    {
        Tensor wide = x.to(float32);
        Tensor length = wide.square().sum([-1], keepdim: true).sqrt().clamp(min: 1e-12);
        Tensor y = wide * (length.pow(-1) * Math.Sqrt(x.size(-1))) * norm.Gamma.flatten();
        return (silu ? nn.functional.silu(y) : y).to(x.dtype);
    }

    /// <summary>softmax(q·kᵀ + bias of the distance)·v over the keys that are there: [B, heads, L, d].</summary>
    public static Tensor RelativeAttention(Tensor q, Tensor k, Tensor v, Tensor table, RelativePositions positions)
    {
        Tensor bias = TableRows.Of(table, positions.PairBuckets).permute(2, 0, 1).unsqueeze(0);    // 1 heads L L
        // In float32 from the product on: without a division by √d scores are large, and eight bits of them are too few.
        Tensor scores = q.to(float32).matmul(k.to(float32).transpose(-2, -1)) + bias + positions.Blocked; // B heads L L
        return scores.softmax(-1).to(v.dtype).matmul(v);                                           // B heads L d
    }

    /// <summary>A step of AdamW, in place; see <see cref="FusedKernels.AdamW"/>.</summary>
    public static void AdamW(
        Tensor parameter, Tensor gradient, Tensor mean, Tensor square, double beta1, double beta2, double epsilon, double kept, double length, double correction2)
    {
        mean.mul_(beta1).add_(gradient, 1 - beta1);
        square.mul_(beta2).addcmul_(gradient, gradient, 1 - beta2);
        Tensor root = (square / correction2).sqrt_().add_(epsilon);
        parameter.mul_(kept).addcdiv_(mean, root, -length);
    }

    /// <summary>Each frame with those after it side by side in the channels.</summary>
    public static Tensor TimeWindows(Tensor x, int length, long stride)
    {
        long count = ((x.size(1) - length) / stride) + 1;
        return cat([.. Enumerable.Range(0, length).Select(k => x.slice(1, k, k + (stride * (count - 1)) + 1, stride))], -1);
    }
}
