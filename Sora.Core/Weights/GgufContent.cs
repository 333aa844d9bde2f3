namespace Sora.Weights;

/// <summary>One tensor of a GGUF file to write: its description, and what writes its data when its turn comes.</summary>
/// <param name="Name">The name, unique in its file.</param>
/// <param name="Type">How its numbers are stored.</param>
/// <param name="Shape">The sizes, row-major, slowest first; the last is a whole number of blocks.</param>
/// <param name="WriteTo">Writes exactly <see cref="ByteLength"/> bytes at the stream's position.</param>
internal sealed record GgufContent(string Name, GgufType Type, long[] Shape, Action<Stream> WriteTo)
{
    /// <summary>The size of the data in bytes.</summary>
    public long ByteLength { get; } = Shape.Aggregate(1L, (product, size) => product * size) / Type.BlockElements() * Type.BlockBytes();
}
