using System.Buffers;
using System.Buffers.Binary;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Sora.Weights;

/// <summary>
/// Writes safetensors files. The same tensors give the same bytes in whatever order they come: larger element types lie
/// first, then names in ordinal order, so that all data are aligned (as the reference implementation sorts them).
/// </summary>
public static class SafetensorsWriter
{
    private const int Alignment = 8;

    /// <summary>What transformers demands of a file before it loads it.</summary>
    private static readonly Dictionary<string, string> PyTorchFormat = new() { ["format"] = "pt" };

    /// <summary>Writes a file, one tensor at a time; it appears under its name when it is complete.</summary>
    /// <param name="path">The file; an existing one is replaced.</param>
    /// <param name="tensors">The tensors, with distinct names.</param>
    /// <param name="metadata">
    /// Text about the whole file. Null writes <c>format: pt</c>, without which transformers does not load a file; an empty
    /// dictionary writes none.
    /// </param>
    /// <exception cref="SoraException">The file cannot be written.</exception>
    /// <exception cref="ArgumentException">Two tensors have the same name.</exception>
    /// <exception cref="InvalidOperationException">A tensor wrote more or fewer bytes than its shape takes.</exception>
    public static void Write(
        string path, IEnumerable<SafetensorsContent> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        ArgumentNullException.ThrowIfNull(tensors);
        SafetensorsContent[] ordered =
        [
            .. tensors.OrderByDescending(tensor => tensor.Type.Size())
                .ThenBy(tensor => tensor.Name, StringComparer.Ordinal),
        ];
        if (ordered.CountBy(tensor => tensor.Name).FirstOrDefault(name => name.Value > 1) is { Key: { } twice })
            throw new ArgumentException($"Two tensors are called '{twice}'.", nameof(tensors));

        ReadOnlyMemory<byte> header = Header(ordered, metadata ?? PyTorchFormat);
        AtomicFile.Write(path, header.Length + ordered.Sum(tensor => tensor.ByteLength), stream =>
        {
            stream.Write(header.Span);
            foreach (SafetensorsContent tensor in ordered)
                WriteData(stream, tensor);
        });
    }

    /// <summary>The length and the JSON, filled with spaces so that the data start at a multiple of 8.</summary>
    private static ReadOnlyMemory<byte> Header(SafetensorsContent[] tensors, IReadOnlyDictionary<string, string> metadata)
    {
        var buffer = new ArrayBufferWriter<byte>();
        buffer.Advance(LengthPrefix(buffer));
        var options = new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
        using (var json = new Utf8JsonWriter(buffer, options))
        {
            json.WriteStartObject();
            if (metadata.Count > 0)
            {
                json.WriteStartObject(SafetensorsHeader.MetadataKey);
                foreach ((string key, string value) in metadata.OrderBy(pair => pair.Key, StringComparer.Ordinal))
                    json.WriteString(key, value);
                json.WriteEndObject();
            }
            long offset = 0;
            foreach (SafetensorsContent tensor in tensors)
                offset = Describe(json, tensor, offset);
            json.WriteEndObject();
        }
        int padding = (Alignment - (buffer.WrittenCount % Alignment)) % Alignment;
        buffer.GetSpan(padding)[..padding].Fill((byte)' ');
        buffer.Advance(padding);

        byte[] header = buffer.WrittenSpan.ToArray();
        BinaryPrimitives.WriteUInt64LittleEndian(header, (ulong)(header.Length - sizeof(ulong)));
        return header;
    }

    /// <summary>Room for the length, which is known when the rest is written.</summary>
    private static int LengthPrefix(ArrayBufferWriter<byte> buffer)
    {
        buffer.GetSpan(sizeof(ulong))[..sizeof(ulong)].Clear();
        return sizeof(ulong);
    }

    private static long Describe(Utf8JsonWriter json, SafetensorsContent tensor, long offset)
    {
        long end = offset + tensor.ByteLength;
        json.WriteStartObject(tensor.Name);
        json.WriteString("dtype", tensor.Type.HeaderName());
        json.WriteStartArray("shape");
        foreach (long size in tensor.Shape)
            json.WriteNumberValue(size);
        json.WriteEndArray();
        json.WriteStartArray("data_offsets");
        json.WriteNumberValue(offset);
        json.WriteNumberValue(end);
        json.WriteEndArray();
        json.WriteEndObject();
        return end;
    }

    private static void WriteData(FileStream stream, SafetensorsContent tensor)
    {
        long end = stream.Position + tensor.ByteLength;
        tensor.WriteTo(stream);
        if (stream.Position != end)
            throw new InvalidOperationException(
                $"'{tensor.Name}' wrote {stream.Position - end + tensor.ByteLength} bytes; its shape takes {tensor.ByteLength}.");
    }
}
