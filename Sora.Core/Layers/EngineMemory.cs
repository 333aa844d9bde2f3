namespace Sora.Layers;

/// <summary>The seam between mapped files and the engine: tensors over memory that somebody else owns.</summary>
internal static class EngineMemory
{
    /// <summary>
    /// A tensor of the values at an address. Sora.Torch looks at them where they are, so the memory must stay mapped as
    /// long as the tensor lives; TorchSharp copies them.
    /// </summary>
    public static unsafe Tensor View(nint address, IReadOnlyList<long> shape, ScalarType type)
    {
#if SYSTEM_TORCH
        return SystemEngine.FromMemory(address, [.. shape], type);
#else
        Tensor copy = empty([.. shape], type, CPU);
        // Through a stream, since a span holds 2 GiB and a text encoder's table may take more.
        using var source = new UnmanagedMemoryStream((byte*)address, copy.NumberOfElements * copy.ElementSize);
        copy.ReadBytesFromStream(source, 1 << 20);
        return copy;
#endif
    }

    /// <summary>Gives memory that freed tensors left with the allocator back to the system, where the engine can.</summary>
    public static void ReleaseUnused()
    {
#if SYSTEM_TORCH
        SystemEngine.ReleaseUnusedMemory();
#endif
    }
}
