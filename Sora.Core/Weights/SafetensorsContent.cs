namespace Sora.Weights;

/// <summary>One tensor to write: its description, and what writes its data when its turn comes.</summary>
public sealed class SafetensorsContent
{
    /// <summary>
    /// A tensor whose data are written on demand, so that a large model need not lie in memory twice.
    /// </summary>
    /// <param name="name">The name; not empty and not <c>__metadata__</c>.</param>
    /// <param name="type">The element type.</param>
    /// <param name="shape">The sizes, row-major, slowest first; empty for a scalar.</param>
    /// <param name="writeTo">
    /// Writes exactly <see cref="ByteLength"/> bytes, row-major and little-endian, at the stream's position.
    /// </param>
    /// <exception cref="ArgumentException">
    /// The name is not allowed, a size is negative, or the shape overflows.
    /// </exception>
    public SafetensorsContent(string name, SafetensorsType type, IEnumerable<long> shape, Action<Stream> writeTo)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(shape);
        ArgumentNullException.ThrowIfNull(writeTo);
        if (name == SafetensorsHeader.MetadataKey)
            throw new ArgumentException($"A tensor cannot be called {name}; the format keeps that name.", nameof(name));
        Name = name;
        Type = type;
        Shape = [.. shape];
        WriteTo = writeTo;
        ByteLength = type.Size();
        foreach (long size in Shape)
        {
            if (size < 0 || (size != 0 && ByteLength > long.MaxValue / size))
                throw new ArgumentException($"'{name}': [{string.Join(", ", Shape)}] is not a shape.", nameof(shape));
            ByteLength *= size;
        }
    }

    /// <summary>A tensor whose data lie in memory.</summary>
    /// <inheritdoc cref="SafetensorsContent(string, SafetensorsType, IEnumerable{long}, Action{Stream})"/>
    public SafetensorsContent(string name, SafetensorsType type, IEnumerable<long> shape, ReadOnlyMemory<byte> data)
        : this(name, type, shape, stream => stream.Write(data.Span))
    {
        if (data.Length != ByteLength)
            throw new ArgumentException(
                $"'{name}': [{string.Join(", ", Shape)}] of {type.HeaderName()} takes {ByteLength} bytes, not {data.Length}.",
                nameof(data));
    }

    /// <summary>The name.</summary>
    public string Name { get; }

    /// <summary>The element type.</summary>
    public SafetensorsType Type { get; }

    /// <summary>The sizes, row-major, slowest first.</summary>
    public IReadOnlyList<long> Shape { get; }

    /// <summary>The size of the data in bytes.</summary>
    public long ByteLength { get; }

    internal Action<Stream> WriteTo { get; }
}
