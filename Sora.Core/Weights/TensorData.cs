namespace Sora.Weights;

/// <summary>A tensor's numbers in a stream: in parts, since a span ends at 2 GiB, and without a second copy where they lie as they are written.</summary>
internal static class TensorData
{
    private const long PartBytes = 1 << 26;

    /// <summary>Writes the numbers, row-major.</summary>
    /// <param name="tensor">The numbers.</param>
    /// <param name="type">The type that they are written in.</param>
    /// <param name="stream">Where to.</param>
    public static void Write(Tensor tensor, ScalarType type, Stream stream)
    {
        using IDisposable noGradients = no_grad();
        using DisposeScope scope = NewDisposeScope();
        Tensor values = tensor.detach().cpu().to(type).contiguous().view(-1);
        foreach ((_, Tensor part) in Parts(values))
            stream.Write(part.bytes);
    }

    /// <summary>Reads the numbers of a file's tensor into one of the same shape and type.</summary>
    /// <param name="file">The file.</param>
    /// <param name="entry">Which of its tensors.</param>
    /// <param name="target">On the processor, contiguous.</param>
    public static void Read(SafetensorsFile file, SafetensorsEntry entry, Tensor target)
    {
        using IDisposable noGradients = no_grad();
        using DisposeScope scope = NewDisposeScope();
        Tensor values = target.detach().view(-1);
        foreach ((long start, Tensor part) in Parts(values))
            file.Bytes(entry, start * target.ElementSize, part.bytes.Length).CopyTo(part.bytes);
    }

    private static IEnumerable<(long Start, Tensor Part)> Parts(Tensor flat)
    {
        long step = PartBytes / flat.ElementSize;
        for (long start = 0; start < flat.NumberOfElements; start += step)
        {
            using Tensor part = flat.narrow(0, start, Math.Min(step, flat.NumberOfElements - start));
            yield return (start, part);
        }
    }
}
