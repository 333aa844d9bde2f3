namespace Sora.Weights;

/// <summary>Bfloat16 numbers, which .NET has no type for, as the upper halves of single precision numbers.</summary>
internal static class BFloat16Bits
{
    /// <summary>The nearest bfloat16 number, of two equally near the even one, as the engine rounds.</summary>
    public static ushort Round(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        // The carry of rounding would make an infinity or a zero of some NaNs.
        return float.IsNaN(value) ? (ushort)0x7FC0 : (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }
}
