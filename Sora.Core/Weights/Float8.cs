namespace Sora.Weights;

/// <summary>
/// The 256 values of each of the two 8-bit floating point types (Micikevicius et al., FP8 Formats for Deep Learning,
/// arXiv:2209.05433, table 1).
/// </summary>
internal static class Float8
{
    /// <summary>How many values a byte has.</summary>
    public const int Values = 256;

    private static readonly float[] E4M3 = [.. Enumerable.Range(0, Values).Select(FromE4M3)];

    // Its five bits of exponent are those of a half precision number, of which it is the upper byte.
    private static readonly float[] E5M2 =
        [.. Enumerable.Range(0, Values).Select(bits => (float)BitConverter.UInt16BitsToHalf((ushort)(bits << 8)))];

    /// <summary>Whether a type is one of the two.</summary>
    public static bool Is(SafetensorsType type) => type is SafetensorsType.F8_E4M3 or SafetensorsType.F8_E5M2;

    /// <summary>What each byte stands for.</summary>
    public static ReadOnlySpan<float> ValuesOf(SafetensorsType type) => type switch
    {
        SafetensorsType.F8_E4M3 => E4M3,
        SafetensorsType.F8_E5M2 => E5M2,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "Not a type of 8-bit floating point numbers."),
    };

    // E4M3FN: no infinities, so that all ones are the only NaN and 448 the largest number.
    private static float FromE4M3(int bits)
    {
        int exponent = (bits >> 3) & 15, mantissa = bits & 7;
        float magnitude = exponent == 15 && mantissa == 7 ? float.NaN
            : exponent == 0 ? MathF.ScaleB(mantissa, -9)
            : MathF.ScaleB(8 + mantissa, exponent - 10);
        return (bits & 0x80) == 0 ? magnitude : -magnitude;
    }
}
