using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Sora.Weights;

/// <summary>The memory that dequantised numbers go to, in one of the engine's types.</summary>
internal unsafe interface IGgufOutput
{
    /// <summary>The bytes of a number.</summary>
    static abstract int Size { get; }

    /// <summary>Writes the 16 numbers level·scale − least.</summary>
    static abstract void Write(byte* target, Vector128<sbyte> levels, float scale, float least);
}

/// <summary>Single precision.</summary>
internal readonly unsafe struct SingleOutput : IGgufOutput
{
    /// <inheritdoc/>
    public static int Size => sizeof(float);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Write(byte* target, Vector128<sbyte> levels, float scale, float least)
    {
        float* to = (float*)target;
        if (Avx512F.IsSupported)
        {
            Levels.Sixteen(levels, scale, least).Store(to);
        }
        else if (Avx2.IsSupported)
        {
            (Vector256<float> first, Vector256<float> second) = Levels.Eights(levels, scale, least);
            first.Store(to);
            second.Store(to + 8);
        }
        else
        {
            (Vector128<short> low, Vector128<short> high) = Vector128.Widen(levels);
            Fours(to, low, scale, least);
            Fours(to + 8, high, scale, least);
        }
    }

    private static void Fours(float* to, Vector128<short> levels, float scale, float least)
    {
        (Vector128<float> first, Vector128<float> second) = Levels.Fours(levels, scale, least);
        first.Store(to);
        second.Store(to + 4);
    }
}

/// <summary>
/// Bfloat16: the upper half, rounded to nearest, of two equally near to the even one. The only NaN that comes here is .NET's
/// own, which the carry of rounding leaves a NaN.
/// </summary>
internal readonly unsafe struct BFloat16Output : IGgufOutput
{
    private const uint AlmostHalf = 0x7FFF;

    /// <inheritdoc/>
    public static int Size => sizeof(ushort);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Write(byte* target, Vector128<sbyte> levels, float scale, float least)
    {
        ushort* to = (ushort*)target;
        if (Avx512F.IsSupported)
        {
            Vector512<uint> bits = Levels.Sixteen(levels, scale, least).AsUInt32();
            bits = (bits + Vector512.Create(AlmostHalf) + ((bits >> 16) & Vector512<uint>.One)) >> 16;
            Avx512F.ConvertToVector256UInt16(bits).Store(to);
        }
        else if (Avx2.IsSupported)
        {
            (Vector256<float> first, Vector256<float> second) = Levels.Eights(levels, scale, least);
            Vector256.Narrow(Round(first), Round(second)).Store(to);
        }
        else
        {
            (Vector128<short> low, Vector128<short> high) = Vector128.Widen(levels);
            Fours(to, low, scale, least);
            Fours(to + 8, high, scale, least);
        }
    }

    private static void Fours(ushort* to, Vector128<short> levels, float scale, float least)
    {
        (Vector128<float> first, Vector128<float> second) = Levels.Fours(levels, scale, least);
        Vector128.Narrow(Round(first), Round(second)).Store(to);
    }

    private static Vector256<uint> Round(Vector256<float> x)
    {
        Vector256<uint> bits = x.AsUInt32();
        return (bits + Vector256.Create(AlmostHalf) + ((bits >> 16) & Vector256<uint>.One)) >> 16;
    }

    private static Vector128<uint> Round(Vector128<float> x)
    {
        Vector128<uint> bits = x.AsUInt32();
        return (bits + Vector128.Create(AlmostHalf) + ((bits >> 16) & Vector128<uint>.One)) >> 16;
    }
}

/// <summary>level·scale − least in single precision, as wide as the processor is. Two roundings, as ggml's reference has.</summary>
internal static class Levels
{
    public static Vector512<float> Sixteen(Vector128<sbyte> levels, float scale, float least) =>
        (Vector512.ConvertToSingle(Avx512F.ConvertToVector512Int32(levels)) * scale) - Vector512.Create(least);

    public static (Vector256<float>, Vector256<float>) Eights(Vector128<sbyte> levels, float scale, float least)
    {
        Vector256<short> wide = Avx2.ConvertToVector256Int16(levels);
        return (
            (Vector256.ConvertToSingle(Avx2.ConvertToVector256Int32(wide.GetLower())) * scale) - Vector256.Create(least),
            (Vector256.ConvertToSingle(Avx2.ConvertToVector256Int32(wide.GetUpper())) * scale) - Vector256.Create(least));
    }

    public static (Vector128<float>, Vector128<float>) Fours(Vector128<short> levels, float scale, float least)
    {
        (Vector128<int> low, Vector128<int> high) = Vector128.Widen(levels);
        return (
            (Vector128.ConvertToSingle(low) * scale) - Vector128.Create(least),
            (Vector128.ConvertToSingle(high) * scale) - Vector128.Create(least));
    }
}
