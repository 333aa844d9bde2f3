using System.Buffers.Binary;

namespace Sora.Weights;

/// <summary>
/// A safetensors file, mapped into memory: opening reads the header only, data are paged in where they are touched.
/// Numbers are little-endian and row-major. Reading from several threads is safe; disposing while another reads is not.
/// The file must not shrink while it is open.
/// </summary>
/// <remarks>The format: 8 bytes of header length, a JSON header, the data (github.com/huggingface/safetensors).</remarks>
public sealed unsafe class SafetensorsFile : IDisposable
{
    /// <summary>The largest header that the reference implementation accepts.</summary>
    private const long LongestHeader = 100_000_000;

    private const int LengthBytes = sizeof(ulong);

    private readonly MappedFile _file;
    private readonly OrderedDictionary<string, SafetensorsEntry> _entries = [];
    private readonly Dictionary<string, string> _metadata = [];

    private SafetensorsFile(MappedFile file)
    {
        _file = file;
        try
        {
            (_entries, _metadata) = ReadHeader();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The path as it was given.</summary>
    public string Path => _file.Path;

    /// <summary>The tensors by name, in the order of their data.</summary>
    public IReadOnlyDictionary<string, SafetensorsEntry> Entries => _entries;

    /// <summary>Text about the whole file; empty where it has none.</summary>
    public IReadOnlyDictionary<string, string> Metadata => _metadata;

    /// <summary>Maps the file and checks its header against its length.</summary>
    /// <exception cref="SoraException">
    /// The file is missing, cannot be read, is truncated, or breaks the format; the message names file, tensor and fault.
    /// </exception>
    public static SafetensorsFile Open(string path) =>
        new(MappedFile.Open(path, LengthBytes, "a safetensors file"));

    /// <summary>The data of a tensor, valid until the file is disposed.</summary>
    /// <exception cref="ArgumentException">
    /// The tensor is larger than a span can be (2 GiB): read it in parts, or through <see cref="Pointer"/>.
    /// </exception>
    public ReadOnlySpan<byte> Bytes(SafetensorsEntry entry)
    {
        ArgumentNullException.ThrowIfNull(entry);
        if (entry.ByteLength > int.MaxValue)
            throw new ArgumentException(
                $"'{entry.Name}' has {entry.ByteLength} bytes, more than a span can hold.", nameof(entry));
        return Bytes(entry, 0, (int)entry.ByteLength);
    }

    /// <summary>A part of the data of a tensor, valid until the file is disposed.</summary>
    /// <param name="entry">One of <see cref="Entries"/>.</param>
    /// <param name="offset">The first byte of the part, from the start of the tensor.</param>
    /// <param name="length">The length of the part in bytes.</param>
    public ReadOnlySpan<byte> Bytes(SafetensorsEntry entry, long offset, int length)
    {
        ArgumentNullException.ThrowIfNull(entry);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, entry.ByteLength - length);
        return new ReadOnlySpan<byte>((byte*)Pointer(entry) + offset, length);
    }

    /// <summary>
    /// The address of the data of a tensor, read-only, <see cref="SafetensorsEntry.ByteLength"/> bytes, the same until
    /// the file is disposed. Not always aligned: see <see cref="SafetensorsEntry.IsAligned"/>.
    /// </summary>
    public nint Pointer(SafetensorsEntry entry)
    {
        ArgumentNullException.ThrowIfNull(entry);
        byte* start = _file.Start;
        if (!_entries.TryGetValue(entry.Name, out SafetensorsEntry? own) || !ReferenceEquals(own, entry))
            throw new ArgumentException($"'{entry.Name}' is not an entry of {Path}.", nameof(entry));
        return (nint)(start + entry.ByteOffset);
    }

    /// <summary>Lets go of the memory of a tensor that was copied; see <see cref="MappedFile.Release"/>.</summary>
    internal void Release(SafetensorsEntry entry) => _file.Release(entry.ByteOffset, entry.ByteLength);

    /// <summary>Unmaps the file; spans and pointers into it become invalid.</summary>
    public void Dispose() => _file.Dispose();

    private (OrderedDictionary<string, SafetensorsEntry>, Dictionary<string, string>) ReadHeader()
    {
        byte* start = _file.Start;
        long length = _file.Length;
        ulong headerLength = BinaryPrimitives.ReadUInt64LittleEndian(new ReadOnlySpan<byte>(start, LengthBytes));
        if (headerLength > LongestHeader)
            throw new SoraException(
                $"{Path}: the header claims {headerLength} bytes; allowed: {LongestHeader}. This is not a safetensors file.");
        long dataStart = LengthBytes + (long)headerLength;
        if (dataStart > length)
            throw new SoraException(
                $"{Path}: the header claims {headerLength} bytes, the file has {length - LengthBytes} "
                + "after its length; it is truncated or not a safetensors file.");
        var json = new ReadOnlySpan<byte>(start + LengthBytes, (int)headerLength);
        return SafetensorsHeader.Parse(Path, json, dataStart, length - dataStart);
    }
}
