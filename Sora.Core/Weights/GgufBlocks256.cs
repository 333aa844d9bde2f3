using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Sora.Weights;

/// <summary>
/// Dequantises blocks of 256 numbers: half precision factors for the whole block, small integers that scale groups of 16 or
/// 32 within it, and the levels.
/// </summary>
/// <remarks>The layouts: github.com/ggml-org/ggml, src/ggml-common.h; the arithmetic: src/ggml-quants.c, dequantize_row_*.</remarks>
internal static unsafe class GgufBlocks256
{
    private const int Elements = 256;

    /// <summary>16 × (4-bit scale, 4-bit least value), 256 × 2 bits, factor, factor of least values.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Q2_K<T>(byte* source, byte* target, long blocks) where T : IGgufOutput
    {
        float* scales = stackalloc float[16], leasts = stackalloc float[16];
        for (; blocks > 0; blocks--, source += 84)
        {
            Vector128<byte> packed = Vector128.Load(source);
            SingleOutput.Write((byte*)scales, GgufBits.Low(packed).AsSByte(), GgufBits.Half(source + 80), 0);
            SingleOutput.Write((byte*)leasts, GgufBits.High(packed).AsSByte(), GgufBits.Half(source + 82), 0);
            for (int group = 0; group < 16; group++, target += 16 * T.Size)
            {
                // Each 32 bytes hold 128 numbers: their first bit pairs the first 32, and so on.
                Vector128<byte> bits = Vector128.Load(source + 16 + (32 * (group / 8)) + (16 * (group % 2)));
                T.Write(target, GgufBits.From(bits, group / 2 % 4 * 2, 3).AsSByte(), scales[group], leasts[group]);
            }
        }
    }

    /// <summary>256 third bits, 256 × 2 bits, 16 × 6-bit scales around 32, factor; the levels around 4.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Q3_K<T>(byte* source, byte* target, long blocks) where T : IGgufOutput
    {
        float* scales = stackalloc float[16];
        Vector128<sbyte> middle = Vector128.Create((sbyte)4);
        for (; blocks > 0; blocks--, source += 110)
        {
            Vector128<sbyte> packed = SixBitScales(source + 96) - Vector128.Create((sbyte)32);
            SingleOutput.Write((byte*)scales, packed, GgufBits.Half(source + 108), 0);
            for (int group = 0; group < 16; group++, target += 16 * T.Size)
            {
                Vector128<byte> bits = Vector128.Load(source + 32 + (32 * (group / 8)) + (16 * (group % 2)));
                Vector128<byte> high = Vector128.Load(source + (16 * (group % 2)));
                Vector128<byte> level = GgufBits.From(bits, group / 2 % 4 * 2, 3) | (GgufBits.From(high, group / 2, 1) << 2);
                T.Write(target, level.AsSByte() - middle, scales[group], 0);
            }
        }
    }

    /// <summary>factor, factor of least values, 8 × (6-bit scale, 6-bit least value), 256 × 4 bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Q4_K<T>(byte* source, byte* target, long blocks) where T : IGgufOutput
    {
        float* scales = stackalloc float[16], leasts = stackalloc float[16];
        for (; blocks > 0; blocks--, source += 144)
        {
            ScalesAndLeasts(source, scales, leasts);
            byte* bits = source + 16;
            for (int group = 0; group < 8; group += 2, bits += 32, target += 64 * T.Size)
            {
                (Vector128<byte> first, Vector128<byte> second) = (Vector128.Load(bits), Vector128.Load(bits + 16));
                (float scale, float least) = (scales[group], leasts[group + 8]);
                T.Write(target, GgufBits.Low(first).AsSByte(), scale, least);
                T.Write(target + (16 * T.Size), GgufBits.Low(second).AsSByte(), scale, least);
                (scale, least) = (scales[group + 1], leasts[group + 9]);
                T.Write(target + (32 * T.Size), GgufBits.High(first).AsSByte(), scale, least);
                T.Write(target + (48 * T.Size), GgufBits.High(second).AsSByte(), scale, least);
            }
        }
    }

    /// <summary>factor, factor of least values, 8 × (6-bit scale, 6-bit least value), 256 fifth bits, 256 × 4 bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Q5_K<T>(byte* source, byte* target, long blocks) where T : IGgufOutput
    {
        float* scales = stackalloc float[16], leasts = stackalloc float[16];
        for (; blocks > 0; blocks--, source += 176)
        {
            ScalesAndLeasts(source, scales, leasts);
            (Vector128<byte> firstHigh, Vector128<byte> secondHigh) = (Vector128.Load(source + 16), Vector128.Load(source + 32));
            byte* bits = source + 48;
            for (int group = 0; group < 8; group += 2, bits += 32, target += 64 * T.Size)
            {
                (Vector128<byte> first, Vector128<byte> second) = (Vector128.Load(bits), Vector128.Load(bits + 16));
                (float scale, float least) = (scales[group], leasts[group + 8]);
                T.Write(target, FiveBits(GgufBits.Low(first), firstHigh, group), scale, least);
                T.Write(target + (16 * T.Size), FiveBits(GgufBits.Low(second), secondHigh, group), scale, least);
                (scale, least) = (scales[group + 1], leasts[group + 9]);
                T.Write(target + (32 * T.Size), FiveBits(GgufBits.High(first), firstHigh, group + 1), scale, least);
                T.Write(target + (48 * T.Size), FiveBits(GgufBits.High(second), secondHigh, group + 1), scale, least);
            }
        }
    }

    /// <summary>256 × 4 lower bits, 256 × 2 upper bits, 16 × 8-bit scales, factor; the levels around 32.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Q6_K<T>(byte* source, byte* target, long blocks) where T : IGgufOutput
    {
        float* scales = stackalloc float[16];
        for (; blocks > 0; blocks--, source += 210)
        {
            SingleOutput.Write((byte*)scales, Vector128.Load((sbyte*)source + 192), GgufBits.Half(source + 208), 0);
            for (int part = 0; part < 4; part++)
            {
                // Of each half of the block, numbers l, l + 32, l + 64 and l + 96 share the upper byte l.
                (int half, int quarter) = (part / 2, part % 2);
                byte* low = source + (64 * half) + (16 * quarter);
                (Vector128<byte> first, Vector128<byte> second) = (Vector128.Load(low), Vector128.Load(low + 32));
                Vector128<byte> high = Vector128.Load(source + 128 + (32 * half) + (16 * quarter));
                float* scale = scales + (8 * half) + quarter;
                byte* to = target + (((128 * half) + (16 * quarter)) * T.Size);
                T.Write(to, SixBits(GgufBits.Low(first), high << 4), scale[0], 0);
                T.Write(to + (32 * T.Size), SixBits(GgufBits.Low(second), high << 2), scale[2], 0);
                T.Write(to + (64 * T.Size), SixBits(GgufBits.High(first), high), scale[4], 0);
                T.Write(to + (96 * T.Size), SixBits(GgufBits.High(second), high >> 2), scale[6], 0);
            }
            target += Elements * T.Size;
        }
    }

    /// <summary>factor, 8 × 6-bit scales around 32 (upper bits, then lower), 256 × 4 bits that name a level.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void IQ4_XS<T>(byte* source, byte* target, long blocks) where T : IGgufOutput
    {
        for (; blocks > 0; blocks--, source += 136)
        {
            float factor = GgufBits.Half(source);
            int upper = Unsafe.ReadUnaligned<ushort>(source + 2);
            uint lower = Unsafe.ReadUnaligned<uint>(source + 4);
            for (int group = 0; group < 8; group++, target += 32 * T.Size)
            {
                int scale = (int)((lower >> (4 * group)) & 15) | (((upper >> (2 * group)) & 3) << 4);
                Vector128<byte> nibbles = Vector128.Load(source + 8 + (16 * group));
                T.Write(target, GgufBits.UnevenLevels(GgufBits.Low(nibbles)), factor * (scale - 32), 0);
                T.Write(target + (16 * T.Size), GgufBits.UnevenLevels(GgufBits.High(nibbles)), factor * (scale - 32), 0);
            }
        }
    }

    /// <summary>The fifth bits of group g are bits g of 32 bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<sbyte> FiveBits(Vector128<byte> low, Vector128<byte> high, int group) =>
        (low | (GgufBits.From(high, group, 1) << 4)).AsSByte();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<sbyte> SixBits(Vector128<byte> low, Vector128<byte> high) =>
        (low | (high & Vector128.Create((byte)0x30))).AsSByte() - Vector128.Create((sbyte)32);

    /// <summary>
    /// 16 × 6 bits in 12 bytes: eight bytes of lower halves (the first eight scales in their lower nibbles), then four of
    /// pairs of upper bits.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<sbyte> SixBitScales(byte* packed)
    {
        ulong low = Unsafe.ReadUnaligned<ulong>(packed);
        uint high = Unsafe.ReadUnaligned<uint>(packed + 8);
        ulong firstHigh = high | ((ulong)(high >> 2) << 32), secondHigh = (high >> 4) | ((ulong)(high >> 6) << 32);
        return Vector128.Create(
            (low & 0x0F0F0F0F0F0F0F0F) | ((firstHigh & 0x0303030303030303) << 4),
            ((low >> 4) & 0x0F0F0F0F0F0F0F0F) | ((secondHigh & 0x0303030303030303) << 4)).AsSByte();
    }

    /// <summary>
    /// Eight scales, and from the ninth place on eight least values. They come from two factors and 12 bytes: four scales of
    /// 6 bits, four least values, and four bytes with the lower bits of the others, whose upper bits are above the first ones.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void ScalesAndLeasts(byte* block, float* scales, float* leasts)
    {
        uint first = Unsafe.ReadUnaligned<uint>(block + 4), second = Unsafe.ReadUnaligned<uint>(block + 8), third = Unsafe.ReadUnaligned<uint>(block + 12);
        uint upperScales = (third & 0x0F0F0F0F) | ((first >> 2) & 0x30303030);
        uint upperLeasts = ((third >> 4) & 0x0F0F0F0F) | ((second >> 2) & 0x30303030);
        Vector128<sbyte> packed = Vector128.Create(first & 0x3F3F3F3F, upperScales, second & 0x3F3F3F3F, upperLeasts).AsSByte();
        SingleOutput.Write((byte*)scales, packed, GgufBits.Half(block), 0);
        SingleOutput.Write((byte*)leasts, packed, GgufBits.Half(block + 2), 0);
    }
}
