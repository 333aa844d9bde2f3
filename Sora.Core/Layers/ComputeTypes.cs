using System.Runtime.Intrinsics.X86;

namespace Sora.Layers;

/// <summary>Chooses the type of matrix products and convolutions.</summary>
internal static class ComputeTypes
{
    /// <summary>The type for a precision on a device: bfloat16 where the hardware multiplies it, else float32; with int8, of what is not in 8 bits.</summary>
    public static ScalarType Of(Precision precision, Device device) => precision switch
    {
        Precision.Full => float32,
        Precision.BFloat16 => bfloat16,
        _ => device.type == DeviceType.CUDA || ProcessorHasBFloat16 ? bfloat16 : float32,
    };

    /// <summary>Requires that a device has the products of a precision.</summary>
    /// <exception cref="SoraException">It has not.</exception>
    public static void Require(Precision precision, Device device)
    {
        if (precision == Precision.Int8 && (device.type != DeviceType.CPU || !FusedKernels.HasInt8))
            throw new SoraException($"Precision int8 needs the CPU and an engine with 8-bit products, and this is {device} with {(FusedKernels.HasInt8 ? "them" : "none")}; nearest: auto.");
    }

    /// <summary>Whether the processor multiplies tiles of bfloat16 (AMX), on which attention needs no scores in memory.</summary>
    public static bool ProcessorHasTiles { get; } = X86Base.IsSupported && (X86Base.CpuId(7, 0).Edx & (1 << 22)) != 0;

    /// <summary>Whether the processor multiplies bfloat16.</summary>
    // Leaf 7: AMX-BF16 is bit 22 of EDX in subleaf 0, AVX512-BF16 bit 5 of EAX in subleaf 1.
    public static bool ProcessorHasBFloat16 { get; } =
        X86Base.IsSupported
        && (ProcessorHasTiles || (X86Base.CpuId(7, 1).Eax & (1 << 5)) != 0);
}
