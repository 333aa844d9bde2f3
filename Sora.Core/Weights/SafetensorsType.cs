using System.Diagnostics.CodeAnalysis;

namespace Sora.Weights;

/// <summary>The element types of a safetensors file; the names are those that its header writes.</summary>
public enum SafetensorsType
{
    /// <summary>IEEE 754 double precision, 8 bytes.</summary>
    F64,

    /// <summary>IEEE 754 single precision, 4 bytes.</summary>
    F32,

    /// <summary>IEEE 754 half precision, 2 bytes.</summary>
    F16,

    /// <summary>The upper half of a single precision number, 2 bytes.</summary>
    BF16,

    /// <summary>Signed integer of 8 bytes.</summary>
    I64,

    /// <summary>Signed integer of 4 bytes.</summary>
    I32,

    /// <summary>Signed integer of 2 bytes.</summary>
    I16,

    /// <summary>Signed integer of 1 byte.</summary>
    I8,

    /// <summary>Unsigned integer of 1 byte.</summary>
    U8,

    /// <summary>One byte, 0 or 1; <c>BOOL</c> in the header.</summary>
    Bool,

    /// <summary>
    /// E4M3FN: 4 bits of exponent with bias 7, 3 of mantissa, no infinities, NaN is 0x7F and 0xFF; 1 byte.
    /// </summary>
    F8_E4M3,

    /// <summary>
    /// 5 bits of exponent with bias 15, 2 of mantissa: the upper half of a half precision number; 1 byte.
    /// </summary>
    F8_E5M2,
}

/// <summary>Sizes and header names of <see cref="SafetensorsType"/>.</summary>
public static class SafetensorsTypes
{
    /// <summary>Every name that a header may use, separated by commas.</summary>
    internal static string Known { get; } = string.Join(", ", Enum.GetValues<SafetensorsType>().Select(HeaderName));

    /// <summary>Bytes an element.</summary>
    public static int Size(this SafetensorsType type) => type switch
    {
        SafetensorsType.F64 or SafetensorsType.I64 => 8,
        SafetensorsType.F32 or SafetensorsType.I32 => 4,
        SafetensorsType.F16 or SafetensorsType.BF16 or SafetensorsType.I16 => 2,
        SafetensorsType.I8 or SafetensorsType.U8 or SafetensorsType.Bool => 1,
        SafetensorsType.F8_E4M3 or SafetensorsType.F8_E5M2 => 1,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "Not an element type of safetensors."),
    };

    /// <summary>The name in a header.</summary>
    public static string HeaderName(this SafetensorsType type) =>
        type == SafetensorsType.Bool ? "BOOL" : type.ToString();

    /// <summary>The engine's type of the same numbers; null where it has none, or they are no real numbers.</summary>
    internal static ScalarType? Engine(this SafetensorsType type) => type switch
    {
        SafetensorsType.F64 => float64,
        SafetensorsType.F32 => float32,
        SafetensorsType.F16 => float16,
        SafetensorsType.BF16 => bfloat16,
        _ => null,
    };

    /// <summary>Finds the type with this name in a header; false where there is none.</summary>
    internal static bool TryParse(string name, [NotNullWhen(true)] out SafetensorsType? type)
    {
        foreach (SafetensorsType known in Enum.GetValues<SafetensorsType>())
        {
            if (known.HeaderName() == name)
            {
                type = known;
                return true;
            }
        }
        type = null;
        return false;
    }
}
