namespace Sora.Weights;

/// <summary>One tensor of a safetensors file: where it lies and how to read it.</summary>
/// <param name="Name">The name, unique in its file.</param>
/// <param name="Type">The element type.</param>
/// <param name="Shape">The sizes, row-major, slowest first; empty for a scalar. Do not change it.</param>
/// <param name="ByteOffset">Where the data starts, in bytes from the start of the file.</param>
/// <param name="ByteLength">How many bytes the data takes: the product of the shape times the element's size.</param>
public sealed record SafetensorsEntry(
    string Name, SafetensorsType Type, long[] Shape, long ByteOffset, long ByteLength)
{
    /// <summary>The product of <see cref="Shape"/>; 1 for a scalar.</summary>
    public long ElementCount => ByteLength / Type.Size();

    /// <summary>
    /// Whether the data starts at a multiple of the element's size. The format does not promise it: files that put
    /// 1-byte tensors between larger ones have odd offsets, and such data must be copied before it is read as numbers.
    /// </summary>
    public bool IsAligned => ByteOffset % Type.Size() == 0;

    /// <summary>The type and shape, as in <c>F32 [2, 3]</c>.</summary>
    public override string ToString() => $"{Type.HeaderName()} [{string.Join(", ", Shape)}]";
}
