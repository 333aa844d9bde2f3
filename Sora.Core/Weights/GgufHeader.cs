using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Text;

namespace Sora.Weights;

/// <summary>
/// Reads what lies before the data of a GGUF file, and checks every count, length and offset against the file's size before
/// it believes it.
/// </summary>
/// <remarks>The format: github.com/ggml-org/ggml, docs/gguf.md.</remarks>
internal unsafe ref struct GgufHeader
{
    /// <summary>Magic number, version, two counts.</summary>
    public const int LeastLength = 4 + 4 + 8 + 8;

    private const string AlignmentKey = "general.alignment";
    private const uint Magic = 0x46554747; // "GGUF"
    private const uint DefaultAlignment = 32;
    private const int DeepestArray = 8;

    /// <summary>As long as the format allows a key to be.</summary>
    private const ulong LongestText = 65535;

    /// <summary>ggml itself stops at 4; Wan's patch embedding has 5.</summary>
    private const uint MostDimensions = 8;

    private readonly string _path;
    private readonly byte* _start;
    private readonly long _length;
    private readonly Dictionary<string, object> _metadata = [];
    private readonly Dictionary<string, GgufArray> _arrays = [];
    private readonly HashSet<string> _keys = [];
    private long _position;

    private GgufHeader(MappedFile file)
    {
        _path = file.Path;
        _start = file.Start;
        _length = file.Length;
    }

    /// <summary>The tensors in the order of their data, the metadata but its arrays, and where these are.</summary>
    /// <exception cref="SoraException">The header breaks the format; the message names file and fault.</exception>
    public static (OrderedDictionary<string, GgufEntry> Entries, Dictionary<string, object> Metadata, Dictionary<string, GgufArray> Arrays) Parse(MappedFile file)
    {
        var header = new GgufHeader(file);
        return (header.ReadAll(), header._metadata, header._arrays);
    }

    private OrderedDictionary<string, GgufEntry> ReadAll()
    {
        if (Number<uint>("the magic number") != Magic)
            throw Fault("it does not begin with GGUF; this is not a GGUF file");
        uint version = Number<uint>("the version");
        if (version is not (2 or 3))
            throw Fault(BinaryPrimitives.ReverseEndianness(version) is 2 or 3
                ? "its numbers are big-endian; little-endian files can be read"
                : $"it has version {version}; 2 and 3 can be read");
        ulong tensors = Count("tensors", bytesEach: 8 + 4 + 4 + 8);
        ulong values = Count("metadata values", bytesEach: 8 + 4 + 1);
        for (ulong i = 0; i < values; i++)
            ReadMetadata();
        if (_metadata.TryGetValue("split.count", out object? parts) && parts is ushort and > 1)
            throw Fault($"it is one of {parts} parts of a model; join them to one file first (llama-gguf-split --merge)");
        uint alignment = Alignment();
        var found = new List<(string Name, GgufType Type, long[] Shape, ulong Offset, long Length)>();
        for (ulong i = 0; i < tensors; i++)
            found.Add(ReadTensor(alignment));
        long padding = (alignment - (_position % alignment)) % alignment;
        return Place(found, _position + padding);
    }

    private void ReadMetadata()
    {
        string key = Name("the key of a metadata value");
        if (!_keys.Add(key))
            throw Fault($"metadata '{Shorten(key)}' is given twice");
        if (Value(key, Number<uint>(key)) is { } value)
            _metadata.Add(key, value);
    }

    /// <summary>The value at the position; null for an array or a long text, which is skipped.</summary>
    private object? Value(string key, uint type)
    {
        switch (type)
        {
            case 0: return Number<byte>(key);
            case 1: return Number<sbyte>(key);
            case 2: return Number<ushort>(key);
            case 3: return Number<short>(key);
            case 4: return Number<uint>(key);
            case 5: return Number<int>(key);
            case 6: return Number<float>(key);
            case 7: return Number<byte>(key) != 0;
            case 8 when Peek() <= LongestText: return Text(key);
            case 8:
                Skip(Number<ulong>(key), key);
                return null;
            case 9:
                SkipArray(key, depth: 0);
                return null;
            case 10: return Number<ulong>(key);
            case 11: return Number<long>(key);
            case 12: return Number<double>(key);
            default: throw Fault($"metadata '{Shorten(key)}' has a value of type {type}; known: 0 to 12");
        }
    }

    private void SkipArray(string key, int depth)
    {
        uint type = Number<uint>(key);
        int size = type switch { 0 or 1 or 7 => 1, 2 or 3 => 2, 4 or 5 or 6 => 4, 10 or 11 or 12 => 8, 8 => 8, 9 => 12, _ => 0 };
        if (size == 0)
            throw Fault($"metadata '{Shorten(key)}' is an array of type {type}; known: 0 to 12");
        if (depth == DeepestArray)
            throw Fault($"metadata '{Shorten(key)}' holds arrays in arrays more than {DeepestArray} deep");
        ulong count = Count($"elements in metadata '{Shorten(key)}'", size);
        if (depth == 0)
            _arrays.Add(key, new(type, (int)Math.Min(count, int.MaxValue), _position));
        if (type is not (8 or 9))
            Skip((ulong)size * count, key);
        for (ulong i = 0; type == 8 && i < count; i++)
            Skip(Number<ulong>(key), key);
        for (ulong i = 0; type == 9 && i < count; i++)
            SkipArray(key, depth + 1);
    }

    private readonly uint Alignment()
    {
        if (!_metadata.TryGetValue(AlignmentKey, out object? value))
            return DefaultAlignment;
        return value is uint alignment && BitOperations.IsPow2(alignment)
            ? alignment
            : throw Fault($"{AlignmentKey} is {Shorten(value.ToString() ?? "")}; allowed: powers of 2, as an unsigned number of 32 bits");
    }

    private (string Name, GgufType Type, long[] Shape, ulong Offset, long Length) ReadTensor(uint alignment)
    {
        string name = Name("the name of a tensor");
        string tensor = $"tensor '{Shorten(name)}'";
        uint dimensions = Number<uint>(tensor);
        if (dimensions > MostDimensions)
            throw Fault($"{tensor} has {dimensions} dimensions; allowed: {MostDimensions} at most");
        long[] shape = new long[dimensions];
        for (int i = shape.Length - 1; i >= 0; i--)
            if ((shape[i] = Number<long>(tensor)) < 1)
                throw Fault($"{tensor} has a size of {(ulong)shape[i]}; allowed: 1 to {long.MaxValue}");
        uint number = Number<uint>(tensor);
        if (number > int.MaxValue || !Enum.IsDefined((GgufType)number))
            throw Fault($"{tensor} is quantised with type {number}; known: {GgufTypes.Known}");
        ulong offset = Number<ulong>(tensor);
        if (offset % alignment != 0)
            throw Fault($"{tensor}: its data start at {offset}, which is no multiple of {alignment}, the file's alignment");
        return (name, (GgufType)number, shape, offset, LengthOf(tensor, shape, (GgufType)number));
    }

    private readonly long LengthOf(string tensor, long[] shape, GgufType type)
    {
        long row = shape.Length > 0 ? shape[^1] : 1;
        if (row % type.BlockElements() != 0)
            throw Fault($"{tensor} has rows of {row} numbers; {type} takes multiples of {type.BlockElements()}");
        long blocks = row / type.BlockElements(), room = _length / type.BlockBytes();
        foreach (long size in shape.AsSpan(0, Math.Max(0, shape.Length - 1)))
            blocks = size <= room / blocks ? blocks * size : throw TooLarge(tensor, shape, type);
        return blocks <= room ? blocks * type.BlockBytes() : throw TooLarge(tensor, shape, type);
    }

    private readonly SoraException TooLarge(string tensor, long[] shape, GgufType type) =>
        Fault($"{tensor} of shape [{string.Join(", ", shape)}] in {type} takes more bytes than the file has ({_length})");

    /// <summary>The entries in the order of their data, after the check that these lie in the file without overlap.</summary>
    private readonly OrderedDictionary<string, GgufEntry> Place(
        List<(string Name, GgufType Type, long[] Shape, ulong Offset, long Length)> found, long dataStart)
    {
        var entries = new OrderedDictionary<string, GgufEntry>(found.Count);
        long position = 0;
        string before = "";
        foreach ((string name, GgufType type, long[] shape, ulong offset, long length) in found.OrderBy(t => t.Offset).ThenBy(t => t.Length))
        {
            if (offset > (ulong)Math.Max(0, _length - dataStart) || length > _length - dataStart - (long)offset)
                throw Fault($"tensor '{Shorten(name)}': {length} bytes at {offset} of the data reach beyond the file, which holds "
                    + $"{Math.Max(0, _length - dataStart)} bytes of data; it is truncated or damaged");
            if ((long)offset < position)
                throw Fault($"tensor '{Shorten(name)}': its data overlap those of tensor '{Shorten(before)}' by {position - (long)offset} bytes");
            if (!entries.TryAdd(name, new GgufEntry(name, type, shape, dataStart + (long)offset, length)))
                throw Fault($"tensor '{Shorten(name)}' is listed twice");
            (position, before) = ((long)offset + length, name);
        }
        return entries;
    }

    /// <summary>A count, if the rest of the file can hold so many.</summary>
    private ulong Count(string what, int bytesEach)
    {
        ulong count = Number<ulong>($"the number of {what}");
        ulong room = (ulong)(_length - _position) / (ulong)bytesEach;
        return count <= room
            ? count
            : throw Fault($"it claims {count} {what}, its {_length} bytes have room for {room} at most; it is truncated or damaged");
    }

    private string Name(string what) => Text(what) is { Length: > 0 } name ? name : throw Fault($"{what} is empty");

    private string Text(string what)
    {
        ulong length = Number<ulong>(what);
        byte* text = _start + _position;
        Skip(length, what);
        if (length > LongestText)
            throw Fault($"{Shorten(what)} has {length} bytes; allowed: {LongestText}");
        try
        {
            return Strict.GetString(text, (int)length);
        }
        catch (DecoderFallbackException e)
        {
            throw new SoraException($"{_path}: {Shorten(what)} is not valid UTF-8.", e);
        }
    }

    /// <summary>The number of 8 bytes at the position; 0 where the file ends before it does.</summary>
    private readonly ulong Peek() => _length - _position >= sizeof(ulong) ? Unsafe.ReadUnaligned<ulong>(_start + _position) : 0;

    private T Number<T>(string what) where T : unmanaged
    {
        byte* number = _start + _position;
        Skip((ulong)sizeof(T), what);
        return Unsafe.ReadUnaligned<T>(number);
    }

    private void Skip(ulong bytes, string what)
    {
        if (bytes > (ulong)(_length - _position))
            throw Fault($"it ends within {Shorten(what)}, which takes {bytes} bytes at {_position} of {_length}; it is truncated or damaged");
        _position += (long)bytes;
    }

    private static UTF8Encoding Strict { get; } = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly SoraException Fault(string what) => new($"{_path}: {what}.");

    private static string Shorten(string text) => text.Length <= 120 ? text : string.Concat(text.AsSpan(0, 120), "…");
}
