namespace Sora.Weights;

/// <summary>One tensor of a GGUF file.</summary>
/// <param name="Name">The name, unique in its file.</param>
/// <param name="Type">How its numbers are stored.</param>
/// <param name="Shape">The sizes, row-major, slowest first: the reverse of the file's order.</param>
/// <param name="ByteOffset">Where the data starts, from the start of the file.</param>
/// <param name="ByteLength">How many bytes the data take.</param>
internal sealed record GgufEntry(string Name, GgufType Type, long[] Shape, long ByteOffset, long ByteLength)
{
    /// <summary>The product of the sizes.</summary>
    public long ElementCount => ByteLength / Type.BlockBytes() * Type.BlockElements();
}
