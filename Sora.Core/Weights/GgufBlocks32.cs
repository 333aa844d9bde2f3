using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Sora.Weights;

/// <summary>
/// Dequantises blocks of 32 numbers: a half precision scale, for some a least value, and the levels. Where two levels share a
/// byte, the lower four bits are of the first half of the block, the upper ones of the second.
/// </summary>
/// <remarks>The layouts: github.com/ggml-org/ggml, src/ggml-common.h; the arithmetic: src/ggml-quants.c, dequantize_row_*.</remarks>
internal static unsafe class GgufBlocks32
{
    private const int Elements = 32;

    /// <summary>Times a byte: that byte, eight times.</summary>
    private const ulong Ones = 0x0101010101010101;

    /// <summary>scale, 32 signed bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Q8_0<T>(byte* source, byte* target, long blocks) where T : IGgufOutput
    {
        for (; blocks > 0; blocks--, source += 34, target += Elements * T.Size)
        {
            float scale = GgufBits.Half(source);
            T.Write(target, Vector128.Load((sbyte*)source + 2), scale, 0);
            T.Write(target + (16 * T.Size), Vector128.Load((sbyte*)source + 18), scale, 0);
        }
    }

    /// <summary>scale, 32 × 4 bits around 8.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Q4_0<T>(byte* source, byte* target, long blocks) where T : IGgufOutput
    {
        Vector128<sbyte> middle = Vector128.Create((sbyte)8);
        for (; blocks > 0; blocks--, source += 18, target += Elements * T.Size)
        {
            float scale = GgufBits.Half(source);
            Vector128<byte> nibbles = Vector128.Load(source + 2);
            T.Write(target, GgufBits.Low(nibbles).AsSByte() - middle, scale, 0);
            T.Write(target + (16 * T.Size), GgufBits.High(nibbles).AsSByte() - middle, scale, 0);
        }
    }

    /// <summary>scale, least value, 32 × 4 bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Q4_1<T>(byte* source, byte* target, long blocks) where T : IGgufOutput
    {
        for (; blocks > 0; blocks--, source += 20, target += Elements * T.Size)
        {
            (float scale, float least) = (GgufBits.Half(source), GgufBits.Half(source + 2));
            Vector128<byte> nibbles = Vector128.Load(source + 4);
            T.Write(target, GgufBits.Low(nibbles).AsSByte(), scale, -least);
            T.Write(target + (16 * T.Size), GgufBits.High(nibbles).AsSByte(), scale, -least);
        }
    }

    /// <summary>scale, 32 fifth bits, 32 × 4 bits; around 16.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Q5_0<T>(byte* source, byte* target, long blocks) where T : IGgufOutput
    {
        Vector128<sbyte> middle = Vector128.Create((sbyte)16);
        for (; blocks > 0; blocks--, source += 22, target += Elements * T.Size)
        {
            float scale = GgufBits.Half(source);
            Vector128<byte> nibbles = Vector128.Load(source + 6);
            T.Write(target, (GgufBits.Low(nibbles) | FifthBits(source + 2)).AsSByte() - middle, scale, 0);
            T.Write(target + (16 * T.Size), (GgufBits.High(nibbles) | FifthBits(source + 4)).AsSByte() - middle, scale, 0);
        }
    }

    /// <summary>scale, least value, 32 fifth bits, 32 × 4 bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Q5_1<T>(byte* source, byte* target, long blocks) where T : IGgufOutput
    {
        for (; blocks > 0; blocks--, source += 24, target += Elements * T.Size)
        {
            (float scale, float least) = (GgufBits.Half(source), GgufBits.Half(source + 2));
            Vector128<byte> nibbles = Vector128.Load(source + 8);
            T.Write(target, (GgufBits.Low(nibbles) | FifthBits(source + 4)).AsSByte(), scale, -least);
            T.Write(target + (16 * T.Size), (GgufBits.High(nibbles) | FifthBits(source + 6)).AsSByte(), scale, -least);
        }
    }

    /// <summary>scale, 32 × 4 bits that name a level.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void IQ4_NL<T>(byte* source, byte* target, long blocks) where T : IGgufOutput
    {
        for (; blocks > 0; blocks--, source += 18, target += Elements * T.Size)
        {
            float scale = GgufBits.Half(source);
            Vector128<byte> nibbles = Vector128.Load(source + 2);
            T.Write(target, GgufBits.UnevenLevels(GgufBits.Low(nibbles)), scale, 0);
            T.Write(target + (16 * T.Size), GgufBits.UnevenLevels(GgufBits.High(nibbles)), scale, 0);
        }
    }

    /// <summary>16 bits as 16 bytes of 16 or 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> FifthBits(byte* bits)
    {
        Vector128<byte> spread = Vector128.Create(bits[0] * Ones, bits[1] * Ones).AsByte();
        Vector128<byte> own = Vector128.Create((byte)1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128);
        return Vector128.Equals(spread & own, own) & Vector128.Create((byte)16);
    }
}
