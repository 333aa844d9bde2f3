using System.Runtime.Intrinsics.X86;

namespace Sora.Layers;

/// <summary>Chooses the type of matrix products and convolutions.</summary>
internal static class ComputeTypes
{
    /// <summary>The type for a precision on a device: bfloat16 where the hardware multiplies it faster than float32, else float32; with int8, of what is not in 8 bits.</summary>
    public static ScalarType Of(Precision precision, Device device) => precision switch
    {
        Precision.Full => float32,
        Precision.BFloat16 => bfloat16,
        _ => device.type == DeviceType.CUDA || BFloat16IsFaster ? bfloat16 : float32,
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

    /// <summary>Whether the processor multiplies bfloat16 faster than float32.</summary>
    // Intel's from Sapphire Rapids on have tiles for it, and take twice as long over a vector of bfloat16 as over the two of float32 that hold as many
    // numbers. Where a virtual machine does not pass the tiles on, float32 is what is fast.
    public static bool BFloat16IsFaster { get; } = ProcessorHasTiles || (ProcessorHasBFloat16 && !(IsIntel && !IsCooperLake));

    private static bool IsIntel => X86Base.CpuId(0, 0) is (_, 0x756e6547, 0x6c65746e, 0x49656e69); // GenuineIntel: EBX, ECX, EDX hold "Genu", "ntel", "ineI"

    // The first with AVX512-BF16, and without tiles: family 6, model 0x55, whose upper half is bits 16 to 19.
    private static bool IsCooperLake => (X86Base.CpuId(1, 0).Eax & 0xf0ff0) == 0x50650;
}
