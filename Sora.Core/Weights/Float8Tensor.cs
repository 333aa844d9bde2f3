using System.Runtime.CompilerServices;
using Sora.Layers;

namespace Sora.Weights;

/// <summary>
/// Makes a tensor of 8-bit floating point numbers. Each byte is looked up in a table of the type that is asked for, into
/// which the scale is multiplied first, so that a scaled tensor costs no more than a plain one.
/// </summary>
internal static unsafe class Float8Tensor
{
    /// <summary>The numbers at an address, times their scales.</summary>
    /// <param name="source">The bytes.</param>
    /// <param name="shape">The tensor's sizes.</param>
    /// <param name="stored">One of the two types.</param>
    /// <param name="scales">One factor for all, or one for each row of the first axis.</param>
    /// <param name="type">The type to make.</param>
    /// <param name="device">Where the tensor goes.</param>
    public static Tensor Read(nint source, IReadOnlyList<long> shape, SafetensorsType stored, float[] scales, ScalarType type, Device device)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor made = empty([.. shape], type == bfloat16 ? bfloat16 : float32, CPU);
        ReadInto(made, source, stored, scales);
        return scope.MoveToOuter(made.to(type).to(device));
    }

    /// <summary>The same into the memory of a contiguous tensor on the CPU, bfloat16 or float32.</summary>
    public static void ReadInto(Tensor target, nint source, SafetensorsType stored, float[] scales)
    {
        if (target.NumberOfElements == 0)
            return;
        if (target.dtype == bfloat16)
            Convert<ushort>(source, EngineMemory.Address(target), target.NumberOfElements, stored, scales, BFloat16Bits.Round);
        else
            Convert<float>(source, EngineMemory.Address(target), target.NumberOfElements, stored, scales, value => value);
    }

    private static void Convert<T>(nint source, nint target, long count, SafetensorsType stored, float[] scales, Func<float, T> round)
        where T : unmanaged
    {
        long columns = count / scales.Length;
        if (scales.Length == 1)
        {
            T[] table = new T[Float8.Values];
            FillTable(table, stored, scales[0], round);
            ConversionThreads.Run(count, 1, (start, length) => LookUp((byte*)source + start, (T*)target + start, length, table));
            return;
        }
        ConversionThreads.Run(scales.Length, columns, (start, length) =>
        {
            T[] table = new T[Float8.Values];
            for (long row = start; row < start + length; row++)
            {
                FillTable(table, stored, scales[row], round);
                LookUp((byte*)source + (row * columns), (T*)target + (row * columns), columns, table);
            }
        });
    }

    private static void FillTable<T>(T[] table, SafetensorsType stored, float scale, Func<float, T> round) where T : unmanaged
    {
        ReadOnlySpan<float> values = Float8.ValuesOf(stored);
        for (int i = 0; i < table.Length; i++)
            table[i] = round(values[i] * scale);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void LookUp<T>(byte* source, T* target, long count, T[] values) where T : unmanaged
    {
        fixed (T* table = values)
        {
            // Eight bytes in one load: the loads of the table are what this loop waits for.
            for (; count >= 8; count -= 8, source += 8, target += 8)
            {
                ulong bytes = *(ulong*)source;
                target[0] = table[(byte)bytes];
                target[1] = table[(byte)(bytes >> 8)];
                target[2] = table[(byte)(bytes >> 16)];
                target[3] = table[(byte)(bytes >> 24)];
                target[4] = table[(byte)(bytes >> 32)];
                target[5] = table[(byte)(bytes >> 40)];
                target[6] = table[(byte)(bytes >> 48)];
                target[7] = table[bytes >> 56];
            }
            for (; count > 0; count--)
                *target++ = table[*source++];
        }
    }
}
