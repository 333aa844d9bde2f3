using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Sora.Weights;

/// <summary>The small parts that several layouts of quantised blocks share.</summary>
internal static unsafe class GgufBits
{
    /// <summary>2⁻²⁴, the least half precision number above zero.</summary>
    private const float SmallestHalf = 1f / (1 << 24);

    /// <summary>The half precision number at an address.</summary>
    /// <remarks>
    /// In whole numbers: .NET's conversion computes with subnormal floats, at which processors stop for hundreds of cycles.
    /// </remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Half(byte* at)
    {
        uint bits = Unsafe.ReadUnaligned<ushort>(at), sign = (bits & 0x8000) << 16, exponent = bits & 0x7C00, fraction = bits & 0x03FF;
        if (exponent == 0)
            return BitConverter.UInt32BitsToSingle(BitConverter.SingleToUInt32Bits(fraction * SmallestHalf) | sign);
        if (exponent != 0x7C00)
            return BitConverter.UInt32BitsToSingle((((bits & 0x7FFF) << 13) + (112u << 23)) | sign);
        // One NaN for all, since rounding to bfloat16 carries into the sign of those with all bits set.
        return fraction == 0 ? BitConverter.UInt32BitsToSingle(0x7F800000 | sign) : float.NaN;
    }

    /// <summary>The lower four bits of each byte.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Low(Vector128<byte> bytes) => bytes & Vector128.Create((byte)0x0F);

    /// <summary>The upper four bits of each byte.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> High(Vector128<byte> bytes) => bytes >> 4;

    /// <summary>Bits of each byte, from one on; the mask keeps those that come from the same byte.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> From(Vector128<byte> bytes, int bit, byte mask) =>
        (bytes.AsUInt16() >> bit).AsByte() & Vector128.Create(mask);

    /// <summary>The levels of IQ4_NL and IQ4_XS (ggml-common.h, kvalues_iq4nl).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<sbyte> UnevenLevels(Vector128<byte> indexes) =>
        Vector128.ShuffleNative(
            Vector128.Create((sbyte)-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113), indexes.AsSByte());
}
