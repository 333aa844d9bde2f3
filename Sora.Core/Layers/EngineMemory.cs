namespace Sora.Layers;

/// <summary>The seam between memory and the engine: tensors over mapped files, and the memory that tensors lie in.</summary>
internal static class EngineMemory
{
    /// <summary>
    /// A tensor of the values at an address. Sora.Torch looks at them where they are, so the memory must stay mapped as
    /// long as the tensor lives; TorchSharp copies them, as both do where the address is no multiple of an element's size.
    /// </summary>
    public static unsafe Tensor View(nint address, IReadOnlyList<long> shape, ScalarType type)
    {
#if SYSTEM_TORCH
        if (address % SizeOf(type) == 0)
            return SystemEngine.FromMemory(address, [.. shape], type);
#endif
        Tensor copy = empty([.. shape], type, CPU);
        long length = copy.NumberOfElements * SizeOf(type);
        if (length > 0)
            Buffer.MemoryCopy((void*)address, (void*)Address(copy), length, length);
        return copy;
    }

    /// <summary>Gives memory that freed tensors left with the allocator back to the system, where the engine can.</summary>
    public static void ReleaseUnused()
    {
#if SYSTEM_TORCH
        SystemEngine.ReleaseUnusedMemory();
#endif
    }

    /// <summary>
    /// Where the first element of a contiguous tensor on the CPU lies; the others follow. Valid while the tensor lives, which
    /// has one element at least.
    /// </summary>
    public static unsafe nint Address(Tensor tensor)
    {
        // Of one element, since a span over all of a large tensor would be longer than a span can be.
        using Tensor row = tensor.view(-1);
        using Tensor first = row.narrow(0, 0, 1);
        fixed (byte* start = first.bytes)
            return (nint)start;
    }

    private static int SizeOf(ScalarType type) => type switch
    {
        ScalarType.Float64 or ScalarType.Int64 => 8,
        ScalarType.Float32 or ScalarType.Int32 => 4,
        ScalarType.Float16 or ScalarType.BFloat16 or ScalarType.Int16 => 2,
        _ => 1,
    };
}
