using Sora.Patches;
using Sora.Text;
using Sora.Transformer;
using Sora.VideoVae;

namespace Sora.Layers;

/// <summary>
/// The seam between the networks and the engine: operations that Sora.Torch has as one kernel each, with its own
/// backward pass. On TorchSharp they are composed from ordinary operators, with the same results within rounding.
/// </summary>
internal static class FusedKernels
{
    /// <summary>LayerNorm without parameters, then ·(1 + scale) + shift: [N, D] → [N, D] of a type.</summary>
    public static Tensor NormModulate(Tensor x, LayerNorm norm, Tensor scale, Tensor shift, Modulation modulation, ScalarType type) =>
#if SYSTEM_TORCH
        SystemEngine.NormModulate(x, scale, shift, modulation.RowIndex, norm.Epsilon, type);
#else
        ComposedKernels.NormModulate(x, norm, scale, shift, modulation, type);
#endif

    /// <summary>LayerNorm with its own gain and offset: [N, D] → [N, D] of a type.</summary>
    public static Tensor Norm(Tensor x, LayerNorm norm, ScalarType type)
    {
#if SYSTEM_TORCH
        if (norm is { Weight: { } weight, Bias: { } bias } && x.dtype == float32)
            return SystemEngine.NormModulate(x, (weight - 1).unsqueeze(0), bias.unsqueeze(0), FirstRow(x), norm.Epsilon, type);
#endif
        return norm.Forward(x).to(type);
    }

    /// <summary>x + y in float32, for x [N, D] float32 and y [N, D] of any type.</summary>
    public static Tensor Add(Tensor x, Tensor y) =>
#if SYSTEM_TORCH
        SystemEngine.AddGated(x, y, ones([1, x.size(1)], float32, x.device), FirstRow(x));
#else
        x + y;
#endif

    /// <summary>
    /// Whether <see cref="LinearGelu"/> and <see cref="LinearAdd"/> take these: on a processor with AMX, in bfloat16, where nothing
    /// asks for gradients.
    /// </summary>
    /// <param name="x">[N, inputs].</param>
    /// <param name="weight">[outputs, inputs].</param>
    public static bool CanFuseLinear(Tensor x, Tensor weight) =>
#if SYSTEM_TORCH
        !is_grad_enabled() && SystemEngine.HasLinear(x, weight);
#else
        false;
#endif

    /// <summary>GELU by its tanh approximation of x·Wᵀ + b: [N, outputs].</summary>
    /// <exception cref="NotSupportedException">The engine has no such kernel: <see cref="CanFuseLinear"/> is false.</exception>
    public static Tensor LinearGelu(Tensor x, Tensor weight, Tensor? bias) =>
#if SYSTEM_TORCH
        SystemEngine.LinearGelu(x, weight, bias);
#else
        throw new NotSupportedException("TorchSharp has no linear layer with a GELU.");
#endif

    /// <summary>stream + gate·(x·Wᵀ + b) in float32; without a gate stream + x·Wᵀ + b: [N, outputs].</summary>
    /// <exception cref="NotSupportedException">The engine has no such kernel: <see cref="CanFuseLinear"/> is false.</exception>
    public static Tensor LinearAdd(Tensor stream, Tensor x, Tensor weight, Tensor? bias, Tensor? gate, Modulation? modulation) =>
#if SYSTEM_TORCH
        SystemEngine.LinearAdd(stream, x, weight, bias, gate, modulation?.RowIndex);
#else
        throw new NotSupportedException("TorchSharp has no linear layer that adds to a stream.");
#endif

    /// <summary>Whether <see cref="Int8Weight"/> and <see cref="Int8Linear"/> are there.</summary>
    public static bool HasInt8 =>
#if SYSTEM_TORCH
        SystemEngine.HasInt8;
#else
        false;
#endif

    /// <summary>A weight [N, K] in 8 bits, a step for each row, and what <see cref="Int8Linear"/> needs besides.</summary>
    /// <exception cref="NotSupportedException">The engine has none: <see cref="HasInt8"/> is false.</exception>
    public static (Tensor Values, Tensor Steps, Tensor Sums) Int8Weight(Tensor weight) =>
#if SYSTEM_TORCH
        SystemEngine.Int8Weight(weight);
#else
        throw new NotSupportedException("TorchSharp has no products of 8 bits.");
#endif

    /// <summary>x·Wᵀ + b with the rows of x [M, K] rounded to 8 bits, in x's type: [M, N].</summary>
    /// <exception cref="NotSupportedException">The engine has none: <see cref="HasInt8"/> is false.</exception>
    public static Tensor Int8Linear(Tensor x, (Tensor Values, Tensor Steps, Tensor Sums) weight, Tensor? bias) =>
#if SYSTEM_TORCH
        SystemEngine.Int8Linear(x, weight, bias);
#else
        throw new NotSupportedException("TorchSharp has no products of 8 bits.");
#endif

    /// <summary>GELU by its tanh approximation, in x's type.</summary>
    public static Tensor Gelu(Tensor x) =>
#if SYSTEM_TORCH
        SystemEngine.Gelu(x);
#else
        ComposedKernels.Gelu(x);
#endif

    /// <summary>x + gate·y in float32: [N, D].</summary>
    public static Tensor AddGated(Tensor x, Tensor y, Tensor gate, Modulation modulation) =>
#if SYSTEM_TORCH
        SystemEngine.AddGated(x, y, gate, modulation.RowIndex);
#else
        ComposedKernels.AddGated(x, y, gate, modulation);
#endif

    /// <summary>RMS norm over the last axis, in x's type.</summary>
    public static Tensor RmsNorm(Tensor x, RmsNorm norm) =>
#if SYSTEM_TORCH
        SystemEngine.RmsNorm(x, norm.Weight, norm.Epsilon);
#else
        ComposedKernels.RmsNorm(x, norm);
#endif

    /// <summary>RMS norm over all heads, then the rotary turn of each head's pairs: [N, D] → [N, D].</summary>
    public static Tensor RmsNormRotary(Tensor x, RmsNorm norm, RotaryPositions positions, int heads) =>
#if SYSTEM_TORCH
        SystemEngine.RmsNormRotary(x, norm.Weight, positions.Cos, positions.Sin, x.size(1) / heads, norm.Epsilon);
#else
        ComposedKernels.RmsNormRotary(x, norm, positions, heads);
#endif

    /// <summary>The channel norm of [..., C], then x·sigmoid(x) where asked.</summary>
    public static Tensor ChannelNorm(Tensor x, ChannelNorm norm, bool silu) =>
#if SYSTEM_TORCH
        SystemEngine.ChannelNorm(x, norm.Gamma, silu);
#else
        ComposedKernels.ChannelNorm(x, norm, silu);
#endif

    /// <summary>
    /// Each frame with those after it side by side: frames [B, T, H, W, C] to [B, (T − length)/stride + 1, H, W, length·C].
    /// </summary>
    public static Tensor TimeWindows(Tensor x, int length, long stride) =>
#if SYSTEM_TORCH
        SystemEngine.TimeWindows(x, length, stride);
#else
        ComposedKernels.TimeWindows(x, length, stride);
#endif

    /// <summary>
    /// Whether <see cref="Convolve"/> takes these: on a processor with AMX, in bfloat16, and on one without AVX512; where nothing asks for
    /// gradients.
    /// </summary>
    /// <param name="frames">[B, T, H, W, C].</param>
    /// <param name="weight">The kernel, [N, ..., k, k].</param>
    public static bool CanConvolve(Tensor frames, Tensor weight) =>
#if SYSTEM_TORCH
        SystemEngine.HasConvolution(frames, weight);
#else
        false;
#endif

    /// <summary>A kernel [N, C, kt, k, k] as <see cref="Convolve"/> takes it, [N, kt, k, k, C], in the order in which it is read.</summary>
    public static Tensor ConvolutionKernel(Tensor weight) =>
#if SYSTEM_TORCH
        SystemEngine.ConvolutionKernel(weight);
#else
        weight.permute(0, 2, 3, 4, 1);
#endif

    /// <summary>
    /// The convolution of frames [B, T, H, W, C] by [N, kt, k, k, C], with zeros around each frame and none in time:
    /// [B, (T − kt)/stride + 1, H, W, N].
    /// </summary>
    /// <exception cref="NotSupportedException">The engine has no such kernel: <see cref="CanConvolve"/> is false.</exception>
    public static Tensor Convolve(Tensor frames, Tensor weight, Tensor bias, long stride) =>
#if SYSTEM_TORCH
        SystemEngine.Convolve(frames, weight, bias, stride);
#else
        throw new NotSupportedException("TorchSharp has no convolution of channels-last frames.");
#endif

    /// <summary>Whether attention in float32, or in bfloat16 by way of it, runs without a matrix of scores that grows with N².</summary>
    public static bool HasFloatAttention =>
#if SYSTEM_TORCH
        SystemEngine.HasFloatAttention;
#else
        false;
#endif

    /// <summary>
    /// Whether products and convolutions of bfloat16 are computed in float32, on copies of what they take and give: by this engine, or within
    /// libtorch, whose kernels for AVX512 do so on a processor that does not multiply bfloat16.
    /// </summary>
    public static bool WidensBFloat16 =>
#if SYSTEM_TORCH
        !ComputeTypes.ProcessorHasBFloat16;
#else
        false;
#endif

    /// <summary>Whether convolutions of float32 are this engine's, without gradients.</summary>
    public static bool HasFloatConvolution =>
#if SYSTEM_TORCH
        !SystemEngine.LibraryHasBFloat16;
#else
        false;
#endif

    /// <summary>Attention of q [B, N, D] to k, v [B, M, D] in heads of D / heads channels: [B, N, D].</summary>
    public static Tensor Attention(Tensor q, Tensor k, Tensor v, int heads)
    {
        long b = q.size(0), n = q.size(1), m = k.size(1);
        Tensor result = nn.functional.scaled_dot_product_attention(
            q.view(b, n, heads, -1).transpose(1, 2),                                      // B heads N d
            k.view(b, m, heads, -1).transpose(1, 2),
            v.view(b, m, heads, -1).transpose(1, 2));
        return result.transpose(1, 2).reshape(b, n, -1);                                  // B N D
    }

    /// <summary>softmax(q·kᵀ + bias of the distance)·v over the keys that are there: [B, heads, L, d].</summary>
    /// <param name="q">Queries [B, heads, L, d].</param>
    /// <param name="k">Keys.</param>
    /// <param name="v">Values.</param>
    /// <param name="table">The bias of each bucket [buckets, heads].</param>
    /// <param name="positions">Buckets and padding.</param>
    public static Tensor RelativeAttention(Tensor q, Tensor k, Tensor v, Tensor table, RelativePositions positions)
    {
#if SYSTEM_TORCH
        if (SystemEngine.HasRelativeAttention(q, k, v, table) && positions.Lengths is { } lengths)
            return SystemEngine.RelativeAttention(q, k, v, TableRows.Of(table, positions.DistanceBuckets).to(float32).transpose(0, 1), tensor(lengths));
#endif
        return ComposedKernels.RelativeAttention(q, k, v, table, positions);
    }

    /// <summary>Whether <see cref="AdamW"/> is one pass over a parameter: float32, on the CPU, its numbers side by side.</summary>
    public static bool CanAdamW(Tensor parameter) =>
#if SYSTEM_TORCH
        parameter.device_type == DeviceType.CPU && parameter.dtype == float32 && parameter.is_contiguous();
#else
        false;
#endif

    /// <summary>A step of AdamW, in place; in one pass over memory where <see cref="CanAdamW"/>.</summary>
    /// <param name="parameter">Becomes kept·parameter − length·mean / (√(square / correction2) + epsilon).</param>
    /// <param name="gradient">Of the parameter's shape.</param>
    /// <param name="mean">Becomes beta1·mean + (1 − beta1)·gradient.</param>
    /// <param name="square">Becomes beta2·square + (1 − beta2)·gradient².</param>
    /// <param name="beta1">The memory of the mean.</param>
    /// <param name="beta2">The memory of the square.</param>
    /// <param name="epsilon">Added to the root.</param>
    /// <param name="kept">1 − learning rate·weight decay.</param>
    /// <param name="length">The learning rate over 1 − beta1 to the power of the steps.</param>
    /// <param name="correction2">1 − beta2 to the power of the steps.</param>
    public static void AdamW(
        Tensor parameter, Tensor gradient, Tensor mean, Tensor square, double beta1, double beta2, double epsilon, double kept, double length, double correction2)
    {
#if SYSTEM_TORCH
        if (CanAdamW(parameter))
        {
            SystemEngine.AdamW(parameter, gradient, mean, square, beta1, beta2, epsilon, kept, length, correction2);
            return;
        }
#endif
        ComposedKernels.AdamW(parameter, gradient, mean, square, beta1, beta2, epsilon, kept, length, correction2);
    }

#if SYSTEM_TORCH
    // Every token reads row 0 of a table.
    private static Tensor FirstRow(Tensor x) => zeros([x.size(0)], int64, x.device);
#endif
}
