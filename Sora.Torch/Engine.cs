namespace TorchSharp;

/// <summary>What this engine offers beyond TorchSharp's API. Code that runs on both asks for it in one place only.</summary>
public static unsafe class SystemEngine
{
    /// <summary>
    /// A tensor over memory that the caller keeps alive, and mapped, for as long as the tensor lives. Nothing is copied.
    /// </summary>
    /// <param name="address">The first element; its alignment must fit the type.</param>
    /// <param name="shape">The length of each axis, row-major.</param>
    /// <param name="type">The type of the elements.</param>
    public static torch.Tensor FromMemory(nint address, ReadOnlySpan<long> shape, torch.ScalarType type)
    {
        nint handle;
        fixed (long* sizes = shape)
            handle = Native.sora_from_blob((void*)address, sizes, shape.Length, (int)type);
        return handle != 0 ? new torch.Tensor(handle) : throw Native.LastError();
    }

    /// <summary>
    /// Each frame with those after it side by side: [B, T, H, W, C] to [B, (T − length)/stride + 1, H, W, length·C].
    /// </summary>
    public static torch.Tensor TimeWindows(torch.Tensor x, long length, long stride) =>
        Made(Native.sora_time_windows(x.Handle, length, stride), x);

    /// <summary>x·√C / max(‖x‖, 1e-12)·gamma over the last axis, and SiLU where asked, in x's type.</summary>
    public static torch.Tensor ChannelNorm(torch.Tensor x, torch.Tensor gamma, bool silu) =>
        Made(Native.sora_channel_norm(x.Handle, gamma.Handle, silu ? 1 : 0), x, gamma);

    /// <summary>Layer norm without parameters, ·(1 + scale) + shift: x [N, D] and tables [R, D] float32, rows [N] int64.</summary>
    public static torch.Tensor NormModulate(torch.Tensor x, torch.Tensor scale, torch.Tensor shift, torch.Tensor rows, double epsilon, torch.ScalarType type) =>
        Made(Native.sora_norm_modulate(x.Handle, scale.Handle, shift.Handle, rows.Handle, epsilon, (int)type), x, scale, shift, rows);

    /// <summary>GELU by its tanh approximation, in x's type.</summary>
    public static torch.Tensor Gelu(torch.Tensor x) => Made(Native.sora_gelu(x.Handle), x);

    /// <summary>x + gate·y: x [N, D] and gate [R, D] float32, y [N, D], rows [N] int64.</summary>
    public static torch.Tensor AddGated(torch.Tensor x, torch.Tensor y, torch.Tensor gate, torch.Tensor rows) =>
        Made(Native.sora_add_gated(x.Handle, y.Handle, gate.Handle, rows.Handle), x, y, gate, rows);

    /// <summary>
    /// A step of AdamW in one pass over memory, in place: a parameter, its gradient's mean and its square, float32 and contiguous
    /// on the CPU, by a gradient of the same shape.
    /// </summary>
    /// <param name="parameter">Becomes kept·parameter − length·mean / (√(square / correction2) + epsilon).</param>
    /// <param name="gradient">The gradient.</param>
    /// <param name="mean">Becomes beta1·mean + (1 − beta1)·gradient.</param>
    /// <param name="square">Becomes beta2·square + (1 − beta2)·gradient².</param>
    /// <param name="beta1">The memory of the mean.</param>
    /// <param name="beta2">The memory of the square.</param>
    /// <param name="epsilon">Added to the root.</param>
    /// <param name="kept">1 − learning rate·weight decay.</param>
    /// <param name="length">The learning rate over 1 − beta1 to the power of the steps.</param>
    /// <param name="correction2">1 − beta2 to the power of the steps.</param>
    public static void AdamW(
        torch.Tensor parameter, torch.Tensor gradient, torch.Tensor mean, torch.Tensor square, double beta1, double beta2, double epsilon, double kept,
        double length, double correction2)
    {
        int status = Native.sora_adamw(parameter.Handle, gradient.Handle, mean.Handle, square.Handle, beta1, beta2, epsilon, kept, length, correction2);
        GC.KeepAlive(parameter);
        GC.KeepAlive(gradient);
        GC.KeepAlive(mean);
        GC.KeepAlive(square);
        if (status != 0)
            throw Native.LastError();
    }

    /// <summary>
    /// Whether <see cref="LinearGelu"/> and <see cref="LinearAdd"/> take these: an input [N, K] and a weight [M, K] in bfloat16 where
    /// <see cref="HasTiles"/>. They have no backward pass.
    /// </summary>
    public static bool HasLinear(torch.Tensor x, torch.Tensor weight) =>
        HasTiles && x.dtype == torch.bfloat16 && Native.sora_linear_available(x.Handle, weight.Handle) != 0;

    /// <summary>GELU, by its tanh approximation, of a linear layer: the same as one after the other, and one pass over memory less.</summary>
    public static torch.Tensor LinearGelu(torch.Tensor x, torch.Tensor weight, torch.Tensor? bias) =>
        Made(Native.sora_linear_gelu(x.Handle, weight.Handle, bias?.Handle ?? 0), x, weight, bias);

    /// <summary>stream + gate·(a linear layer of x), in float32: stream [N, M], gate [R, M] or none, rows [N] int64.</summary>
    public static torch.Tensor LinearAdd(torch.Tensor stream, torch.Tensor x, torch.Tensor weight, torch.Tensor? bias, torch.Tensor? gate, torch.Tensor? rows) =>
        Made(Native.sora_linear_add(stream.Handle, x.Handle, weight.Handle, bias?.Handle ?? 0, gate?.Handle ?? 0, rows?.Handle ?? 0), stream, x, weight, bias, gate, rows);

    /// <summary>RMS norm over D and the rotary turn of each head's pairs: x [N, D], cos and sin [N, head/2] float32.</summary>
    public static torch.Tensor RmsNormRotary(torch.Tensor x, torch.Tensor weight, torch.Tensor cos, torch.Tensor sin, long head, double epsilon) =>
        Made(Native.sora_rms_rotary(x.Handle, weight.Handle, cos.Handle, sin.Handle, head, epsilon), x, weight, cos, sin);

    /// <summary>RMS norm over the last axis with a gain, in x's type.</summary>
    public static torch.Tensor RmsNorm(torch.Tensor x, torch.Tensor weight, double epsilon) =>
        Made(Native.sora_rms_rotary(x.Handle, weight.Handle, weight.Handle, weight.Handle, 0, epsilon), x, weight);

    /// <summary>Whether the processor multiplies tiles of bfloat16 (AMX), and the system lets it.</summary>
    public static bool HasTiles { get; } = Native.sora_attention_available() != 0;

    /// <summary>Whether attention of float32, and of bfloat16 by way of it, is this engine's: without the whole matrix of scores.</summary>
    public static bool HasFloatAttention { get; } = Native.sora_float_attention_available() != 0;

    /// <summary>
    /// Whether libtorch multiplies bfloat16 at the processor's speed (AVX512). Elsewhere products of bfloat16 are this engine's: they are
    /// computed in float32 and rounded once.
    /// </summary>
    public static bool LibraryHasBFloat16 { get; } = Native.sora_library_has_bfloat16() != 0;

    /// <summary>
    /// Whether <see cref="Convolve"/> takes these: frames [B, T, H, W, C] of bfloat16 where <see cref="HasTiles"/>, and of float32 or bfloat16
    /// where libtorch's own convolution is slow (no AVX512); a kernel [N, ..., k, k] with k odd; no gradients.
    /// </summary>
    public static bool HasConvolution(torch.Tensor x, torch.Tensor weight) =>
        (x.dtype == torch.bfloat16 ? HasTiles || !LibraryHasBFloat16 : x.dtype == torch.float32 && !LibraryHasBFloat16)
        && weight.size(-1) % 2 == 1 && x.device_type == DeviceType.CPU && !Attention.NeedsGradients(x, weight);

    /// <summary>A kernel [N, C, kt, k, k] as [N, kt, k, k, C], laid out as <see cref="Convolve"/> reads it without a copy.</summary>
    public static torch.Tensor ConvolutionKernel(torch.Tensor weight)
    {
        ArgumentNullException.ThrowIfNull(weight);
        return weight.dtype == torch.bfloat16 && HasTiles
            ? weight.permute(0, 2, 3, 4, 1).contiguous()
            : weight.permute(2, 3, 4, 1, 0).contiguous().permute(4, 0, 1, 2, 3);
    }

    /// <summary>
    /// Calls something with libtorch's own kernels of products in place of this engine's, in the whole process: what
    /// benchmarks compare with.
    /// </summary>
    public static void WithLibraryProducts(Action call)
    {
        ArgumentNullException.ThrowIfNull(call);
        int before = Native.sora_own_products(0);
        try
        {
            call();
        }
        finally
        {
            _ = Native.sora_own_products(before);
        }
    }

    /// <summary>
    /// The convolution of [B, T, H, W, C] with zeros around each frame and none in time: [B, (T − kt)/stride + 1, H, W, N], in the
    /// type of the frames, without gradients, where <see cref="HasConvolution"/>.
    /// </summary>
    /// <param name="x">Frames.</param>
    /// <param name="weight">[N, kt, k, k, C], k odd; best as <see cref="ConvolutionKernel"/> gives it.</param>
    /// <param name="bias">[N].</param>
    /// <param name="stride">In time.</param>
    public static torch.Tensor Convolve(torch.Tensor x, torch.Tensor weight, torch.Tensor bias, long stride) =>
        Made(Native.sora_convolve(x.Handle, weight.Handle, bias.Handle, stride), x, weight, bias);

    /// <summary>Whether libtorch brings the 8-bit products that <see cref="Int8Linear"/> takes.</summary>
    public static bool HasInt8 { get; } = Native.sora_int8_available() != 0;

    /// <summary>A weight in 8 bits, with a step for each row.</summary>
    /// <param name="weight">[N, K], float32 or bfloat16, on the CPU.</param>
    /// <returns>The values [N, K] int8, the steps [N] float32, and [N] int32 that <see cref="Int8Linear"/> takes off its sums.</returns>
    /// <exception cref="TorchException">The weight is no such matrix, or not finite.</exception>
    public static (torch.Tensor Values, torch.Tensor Steps, torch.Tensor Sums) Int8Weight(torch.Tensor weight)
    {
        ArgumentNullException.ThrowIfNull(weight);
        nint values, steps, sums;
        int made = Native.sora_int8_weight(weight.Handle, &values, &steps, &sums);
        GC.KeepAlive(weight);
        return made != 0 ? (new(values), new(steps), new(sums)) : throw Native.LastError();
    }

    /// <summary>
    /// x·Wᵀ + b with W in 8 bits and each row of x rounded to 8 bits: [M, N] in x's type, without gradients. A row that is not finite gives NaN.
    /// </summary>
    /// <param name="x">[M, K], float32 or bfloat16.</param>
    /// <param name="weight">What <see cref="Int8Weight"/> made of [N, K].</param>
    /// <param name="bias">[N], or null.</param>
    public static torch.Tensor Int8Linear(torch.Tensor x, (torch.Tensor Values, torch.Tensor Steps, torch.Tensor Sums) weight, torch.Tensor? bias) =>
        Made(Native.sora_int8_linear(x.Handle, weight.Values.Handle, weight.Steps.Handle, weight.Sums.Handle, bias?.Handle ?? 0), x, weight.Values, weight.Steps, weight.Sums, bias);

    /// <summary>
    /// Whether <see cref="RelativeAttention"/> takes these: bfloat16 [B, H, N, d] on a processor with AMX, d a multiple of 32
    /// up to 256, without gradients.
    /// </summary>
    public static bool HasRelativeAttention(torch.Tensor query, torch.Tensor key, torch.Tensor value, torch.Tensor bias) =>
        Attention.FitsTiles(query, key, value) && !Attention.NeedsGradients(query, key, value, bias);

    /// <summary>softmax(q·kᵀ + bias)·v of [B, H, N, d], without the matrix of scores.</summary>
    /// <param name="query">q.</param>
    /// <param name="key">k [B, H, M, d].</param>
    /// <param name="value">v [B, H, M, d].</param>
    /// <param name="bias">[H, N + M − 1] float32: that of key j to query i at j − i + N − 1.</param>
    /// <param name="lengths">How many of its keys each of the B has, 1 to M: [B] int64.</param>
    public static torch.Tensor RelativeAttention(torch.Tensor query, torch.Tensor key, torch.Tensor value, torch.Tensor bias, torch.Tensor lengths) =>
        Made(Native.sora_relative_attention(query.Handle, key.Handle, value.Handle, bias.Handle, lengths.Handle), query, key, value, bias, lengths);

    /// <summary>
    /// Gives memory of freed tensors that the allocator still holds back to the system. Takes milliseconds: for the end of
    /// a piece of work, not for a step of it.
    /// </summary>
    public static void ReleaseUnusedMemory() => Native.sora_release_unused_memory();

    private static torch.Tensor Made(nint handle, params ReadOnlySpan<torch.Tensor?> arguments)
    {
        foreach (torch.Tensor? argument in arguments)
            GC.KeepAlive(argument);
        return handle != 0 ? new torch.Tensor(handle) : throw Native.LastError();
    }
}
