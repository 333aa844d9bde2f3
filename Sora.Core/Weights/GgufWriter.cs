using System.Text;

namespace Sora.Weights;

/// <summary>Writes GGUF files of version 3, a tensor at a time.</summary>
/// <remarks>The format: github.com/ggml-org/ggml, docs/gguf.md.</remarks>
internal static class GgufWriter
{
    private const int Alignment = 32;
    private const uint Version = 3;
    private const uint UInt32Value = 4;
    private const uint TextValue = 8;

    /// <summary>Writes a file; it appears under its name when it is complete.</summary>
    /// <param name="path">The file; an existing one is replaced.</param>
    /// <param name="metadata">Texts and unsigned numbers of 32 bits about the whole file.</param>
    /// <param name="tensors">The tensors, with distinct names, in the order in which their data lie.</param>
    /// <exception cref="SoraException">The file cannot be written.</exception>
    /// <exception cref="ArgumentException">Two tensors have the same name, or a row is no whole number of blocks.</exception>
    /// <exception cref="InvalidOperationException">A tensor wrote more or fewer bytes than its shape takes.</exception>
    public static void Write(string path, IReadOnlyList<KeyValuePair<string, object>> metadata, IReadOnlyList<GgufContent> tensors)
    {
        if (tensors.CountBy(tensor => tensor.Name).FirstOrDefault(name => name.Value > 1) is { Key: { } twice })
            throw new ArgumentException($"Two tensors are called '{twice}'.", nameof(tensors));
        if (tensors.FirstOrDefault(tensor => tensor.Shape.Length > 0 && tensor.Shape[^1] % tensor.Type.BlockElements() != 0) is { } broken)
            throw new ArgumentException($"'{broken.Name}' has rows of {broken.Shape[^1]} numbers; {broken.Type} takes multiples of {broken.Type.BlockElements()}.", nameof(tensors));
        byte[] header = Header(metadata, tensors);
        AtomicFile.Write(path, header.Length + tensors.Sum(tensor => Padded(tensor.ByteLength)), stream =>
        {
            stream.Write(header);
            foreach (GgufContent tensor in tensors)
                WriteData(stream, tensor);
        });
    }

    private static byte[] Header(IReadOnlyList<KeyValuePair<string, object>> metadata, IReadOnlyList<GgufContent> tensors)
    {
        using var bytes = new MemoryStream();
        using var writer = new BinaryWriter(bytes);
        writer.Write("GGUF"u8);
        writer.Write(Version);
        writer.Write((ulong)tensors.Count);
        writer.Write((ulong)metadata.Count);
        foreach ((string key, object value) in metadata)
            WriteValue(writer, key, value);
        long offset = 0;
        foreach (GgufContent tensor in tensors)
        {
            WriteText(writer, tensor.Name);
            writer.Write((uint)tensor.Shape.Length);
            foreach (long size in tensor.Shape.Reverse()) // The format counts from the fastest axis.
                writer.Write(size);
            writer.Write((uint)tensor.Type);
            writer.Write(offset);
            offset += Padded(tensor.ByteLength);
        }
        writer.Write(new byte[Padded(bytes.Length) - bytes.Length]);
        return bytes.ToArray();
    }

    private static void WriteValue(BinaryWriter writer, string key, object value)
    {
        WriteText(writer, key);
        switch (value)
        {
            case uint number:
                writer.Write(UInt32Value);
                writer.Write(number);
                break;
            case string text:
                writer.Write(TextValue);
                WriteText(writer, text);
                break;
            default:
                throw new ArgumentException($"{key} is a {value.GetType().Name}; allowed: text and unsigned numbers of 32 bits.", nameof(value));
        }
    }

    private static void WriteText(BinaryWriter writer, string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        writer.Write((ulong)bytes.Length);
        writer.Write(bytes);
    }

    private static void WriteData(FileStream stream, GgufContent tensor)
    {
        long start = stream.Position;
        tensor.WriteTo(stream);
        if (stream.Position - start != tensor.ByteLength)
            throw new InvalidOperationException($"'{tensor.Name}' wrote {stream.Position - start} bytes; its shape takes {tensor.ByteLength}.");
        stream.Write(new byte[Padded(tensor.ByteLength) - tensor.ByteLength]);
    }

    private static long Padded(long length) => (length + Alignment - 1) / Alignment * Alignment;
}
