using Sora.Layers;

namespace Sora.Weights;

/// <summary>Makes a tensor of quantised blocks.</summary>
internal static unsafe class GgufTensor
{
    /// <summary>The numbers of the blocks at an address.</summary>
    /// <param name="source">The first block; rows follow each other without gaps.</param>
    /// <param name="shape">The tensor's sizes; the last is a multiple of the block's.</param>
    /// <param name="stored">A quantised type.</param>
    /// <param name="type">The type to make. Bfloat16 and float32 are written where they stay, another through float32.</param>
    /// <param name="device">Where the tensor goes.</param>
    public static Tensor Dequantize(nint source, IReadOnlyList<long> shape, GgufType stored, ScalarType type, Device device)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor made = empty([.. shape], type == bfloat16 ? bfloat16 : float32, CPU);
        DequantizeInto(made, source, stored);
        return scope.MoveToOuter(made.to(type).to(device));
    }

    /// <summary>Writes the numbers of the blocks at an address into a contiguous tensor on the CPU, bfloat16 or float32.</summary>
    public static void DequantizeInto(Tensor target, nint source, GgufType stored)
    {
        long blocks = target.NumberOfElements / stored.BlockElements();
        if (target.dtype == bfloat16)
            Dequantize<BFloat16Output>(source, EngineMemory.Address(target), stored, blocks);
        else
            Dequantize<SingleOutput>(source, EngineMemory.Address(target), stored, blocks);
    }

    private static void Dequantize<T>(nint source, nint target, GgufType stored, long blocks) where T : IGgufOutput
    {
        (int bytes, int elements) = (stored.BlockBytes(), stored.BlockElements());
        ConversionThreads.Run(blocks, elements, (start, count) =>
            Convert<T>(stored, (byte*)source + (start * bytes), (byte*)target + (start * elements * T.Size), count));
    }

    /// <summary>Dequantises blocks, on one thread.</summary>
    internal static void Convert<T>(GgufType stored, byte* source, byte* target, long blocks) where T : IGgufOutput
    {
        switch (stored)
        {
            case GgufType.Q4_0: GgufBlocks32.Q4_0<T>(source, target, blocks); break;
            case GgufType.Q4_1: GgufBlocks32.Q4_1<T>(source, target, blocks); break;
            case GgufType.Q5_0: GgufBlocks32.Q5_0<T>(source, target, blocks); break;
            case GgufType.Q5_1: GgufBlocks32.Q5_1<T>(source, target, blocks); break;
            case GgufType.Q8_0: GgufBlocks32.Q8_0<T>(source, target, blocks); break;
            case GgufType.Q2_K: GgufBlocks256.Q2_K<T>(source, target, blocks); break;
            case GgufType.Q3_K: GgufBlocks256.Q3_K<T>(source, target, blocks); break;
            case GgufType.Q4_K: GgufBlocks256.Q4_K<T>(source, target, blocks); break;
            case GgufType.Q5_K: GgufBlocks256.Q5_K<T>(source, target, blocks); break;
            case GgufType.Q6_K: GgufBlocks256.Q6_K<T>(source, target, blocks); break;
            case GgufType.IQ4_NL: GgufBlocks32.IQ4_NL<T>(source, target, blocks); break;
            case GgufType.IQ4_XS: GgufBlocks256.IQ4_XS<T>(source, target, blocks); break;
            default: throw new ArgumentOutOfRangeException(nameof(stored), stored, "Not a quantised type.");
        }
    }
}
