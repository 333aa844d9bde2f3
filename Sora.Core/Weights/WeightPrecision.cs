namespace Sora.Weights;

/// <summary>The number format of weights in files.</summary>
public enum WeightPrecision
{
    /// <summary>float32: <c>f32</c>.</summary>
    F32,

    /// <summary>float16: <c>f16</c>.</summary>
    F16,

    /// <summary>bfloat16: <c>bf16</c>.</summary>
    BF16,
}

/// <summary>The names of <see cref="WeightPrecision"/>, and its types.</summary>
public static class WeightPrecisions
{
    private static readonly NamedValues<WeightPrecision> Values = new("Precision",
        ("f32", WeightPrecision.F32),
        ("f16", WeightPrecision.F16),
        ("bf16", WeightPrecision.BF16));

    /// <summary>The precision of this name, in any letter case.</summary>
    /// <exception cref="SoraException">The name is unknown; the message lists the known ones.</exception>
    public static WeightPrecision Parse(string name) => Values.Parse(name);

    /// <summary>The type of the files.</summary>
    internal static SafetensorsType Stored(this WeightPrecision precision) => precision switch
    {
        WeightPrecision.F16 => SafetensorsType.F16,
        WeightPrecision.BF16 => SafetensorsType.BF16,
        _ => SafetensorsType.F32,
    };

    /// <summary>
    /// The type in which a parameter is published: norms, modulation and embeddings of time are float32 (diffusers'
    /// <c>_keep_in_fp32_modules</c>), and so is the whole VAE.
    /// </summary>
    internal static SafetensorsType Stored(this WeightPrecision precision, NetworkKind network, NetworkParameter parameter) =>
        network == NetworkKind.Vae || parameter.StaysFloat ? SafetensorsType.F32 : precision.Stored();
}
