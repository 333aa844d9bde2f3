namespace Sora;

/// <summary>
/// The number format of weights and matrix products. Norms, modulation, rotary angles, softmax and the sampler's state
/// are float32 in each of them.
/// </summary>
/// <remarks><see cref="PrecisionNames"/> reads and writes their names.</remarks>
public enum Precision
{
    /// <summary>bfloat16 where the device multiplies it faster than float32 (CUDA, AMX, AVX512-BF16 but for Intel's without AMX), else float32: <c>auto</c>.</summary>
    Auto,

    /// <summary>float32 throughout: <c>full</c>.</summary>
    Full,

    /// <summary>bfloat16, on any device: <c>bf16</c>.</summary>
    BFloat16,

    /// <summary>
    /// Weights and activations of the transformer's blocks in 8-bit whole numbers, each output of a layer and each token with a scale of its
    /// own, all else as with <see cref="Auto"/>: <c>int8</c>. On the CPU with the system engine; not for training. Results differ by what
    /// docs/performance.md shows.
    /// </summary>
    Int8,
}
