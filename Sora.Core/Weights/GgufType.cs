namespace Sora.Weights;

/// <summary>How the numbers of a GGUF tensor are stored; the values are those of the file (ggml.h, enum ggml_type).</summary>
internal enum GgufType
{
    /// <summary>IEEE 754 single precision.</summary>
    F32 = 0,

    /// <summary>IEEE 754 half precision.</summary>
    F16 = 1,

    /// <summary>4 bits and a scale for 32 numbers.</summary>
    Q4_0 = 2,

    /// <summary>4 bits, a scale and a least value for 32 numbers.</summary>
    Q4_1 = 3,

    /// <summary>5 bits and a scale for 32 numbers.</summary>
    Q5_0 = 6,

    /// <summary>5 bits, a scale and a least value for 32 numbers.</summary>
    Q5_1 = 7,

    /// <summary>8 bits and a scale for 32 numbers.</summary>
    Q8_0 = 8,

    /// <summary>2 bits; 4-bit scales and least values for 16 numbers, in blocks of 256.</summary>
    Q2_K = 10,

    /// <summary>3 bits; 6-bit scales for 16 numbers, in blocks of 256.</summary>
    Q3_K = 11,

    /// <summary>4 bits; 6-bit scales and least values for 32 numbers, in blocks of 256.</summary>
    Q4_K = 12,

    /// <summary>5 bits; 6-bit scales and least values for 32 numbers, in blocks of 256.</summary>
    Q5_K = 13,

    /// <summary>6 bits; 8-bit scales for 16 numbers, in blocks of 256.</summary>
    Q6_K = 14,

    /// <summary>One of 16 uneven levels and a scale for 32 numbers.</summary>
    IQ4_NL = 20,

    /// <summary>One of 16 uneven levels; 6-bit scales for 32 numbers, in blocks of 256.</summary>
    IQ4_XS = 23,

    /// <summary>The upper half of a single precision number.</summary>
    BF16 = 30,
}

/// <summary>Sizes of <see cref="GgufType"/>.</summary>
internal static class GgufTypes
{
    /// <summary>Every type that can be read, with its number, for messages.</summary>
    public static string Known { get; } =
        string.Join(", ", Enum.GetValues<GgufType>().Select(type => $"{type} ({(int)type})"));

    /// <summary>How many numbers share a block.</summary>
    public static int BlockElements(this GgufType type) => type switch
    {
        GgufType.F32 or GgufType.F16 or GgufType.BF16 => 1,
        GgufType.Q4_0 or GgufType.Q4_1 or GgufType.Q5_0 or GgufType.Q5_1 or GgufType.Q8_0 or GgufType.IQ4_NL => 32,
        _ => 256,
    };

    /// <summary>The bytes of a block.</summary>
    public static int BlockBytes(this GgufType type) => type switch
    {
        GgufType.F32 => 4,
        GgufType.F16 or GgufType.BF16 => 2,
        GgufType.Q4_0 or GgufType.IQ4_NL => 2 + 16,
        GgufType.Q4_1 => 4 + 16,
        GgufType.Q5_0 => 2 + 4 + 16,
        GgufType.Q5_1 => 4 + 4 + 16,
        GgufType.Q8_0 => 2 + 32,
        GgufType.Q2_K => 16 + 64 + 4,
        GgufType.Q3_K => 32 + 64 + 12 + 2,
        GgufType.Q4_K => 4 + 12 + 128,
        GgufType.Q5_K => 4 + 12 + 32 + 128,
        GgufType.Q6_K => 128 + 64 + 16 + 2,
        GgufType.IQ4_XS => 2 + 2 + 4 + 128,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "Not a type of GGUF tensors."),
    };

    /// <summary>The engine's type of the same numbers; null for the quantised types.</summary>
    public static ScalarType? Engine(this GgufType type) => type switch
    {
        GgufType.F32 => float32,
        GgufType.F16 => float16,
        GgufType.BF16 => bfloat16,
        _ => null,
    };
}
