using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace Sora.Weights;

/// <summary>
/// Reads the JSON header of a safetensors file and checks every promise of the format
/// (github.com/huggingface/safetensors, section Format): known types, sizes that agree, data without overlap or hole.
/// </summary>
internal ref struct SafetensorsHeader
{
    /// <summary>The key under which the header holds text about the whole file.</summary>
    public const string MetadataKey = "__metadata__";

    /// <summary>As many as torch can handle.</summary>
    private const int MostDimensions = 64;

    private readonly string _path;
    private readonly long _dataStart;
    private readonly long _dataLength;
    private readonly OrderedDictionary<string, SafetensorsEntry> _entries = [];
    private readonly Dictionary<string, string> _metadata = [];
    private Utf8JsonReader _reader;
    private string _tensor = "";

    private SafetensorsHeader(string path, ReadOnlySpan<byte> json, long dataStart, long dataLength)
    {
        _path = path;
        _dataStart = dataStart;
        _dataLength = dataLength;
        _reader = new Utf8JsonReader(json);
    }

    /// <summary>The tensors, in the order of their data, and the metadata.</summary>
    /// <exception cref="SoraException">
    /// The header breaks the format; the message names file, tensor and fault.
    /// </exception>
    public static (OrderedDictionary<string, SafetensorsEntry> Entries, Dictionary<string, string> Metadata) Parse(
        string path, ReadOnlySpan<byte> json, long dataStart, long dataLength)
    {
        if (json.IsEmpty || json[0] != (byte)'{')
            throw new SoraException($"{path}: the header does not start with '{{'; this is not a safetensors file.");
        if (!Utf8.IsValid(json))
            throw new SoraException($"{path}: the header is not valid UTF-8.");
        var header = new SafetensorsHeader(path, json, dataStart, dataLength);
        try
        {
            header.ReadAll();
        }
        catch (JsonException e)
        {
            throw new SoraException($"{path}: the header is not valid JSON: {e.Message}", e);
        }
        return (header.InDataOrder(), header._metadata);
    }

    private void ReadAll()
    {
        _reader.Read();
        bool metadataSeen = false;
        while (NextProperty() is { } name)
        {
            if (name == MetadataKey)
            {
                if (metadataSeen)
                    throw new SoraException($"{_path}: the header holds {MetadataKey} twice.");
                metadataSeen = true;
                ReadMetadata();
            }
            else
            {
                _tensor = name;
                ReadTensor();
            }
        }
        _reader.Read(); // Anything but white space after the closing brace is an error of the JSON.
    }

    private void ReadMetadata()
    {
        Expect(JsonTokenType.StartObject, $"{MetadataKey} is not an object");
        while (NextProperty() is { } key)
        {
            Expect(JsonTokenType.String, $"{MetadataKey} '{Shorten(key)}' is not text");
            if (!_metadata.TryAdd(key, Text()))
                throw new SoraException($"{_path}: {MetadataKey} holds '{Shorten(key)}' twice.");
        }
    }

    private void ReadTensor()
    {
        SafetensorsType? type = null;
        long[]? shape = null;
        long[]? offsets = null;
        Expect(JsonTokenType.StartObject, "its description is not an object");
        while (NextProperty() is { } key)
        {
            switch (key)
            {
                case "dtype" when type is null:
                    Expect(JsonTokenType.String, "dtype is not text");
                    string name = Text();
                    if (!SafetensorsTypes.TryParse(name, out type))
                        throw Fault($"dtype '{Shorten(name)}' is unknown; known: {SafetensorsTypes.Known}");
                    break;
                case "shape" when shape is null:
                    shape = Numbers(key);
                    break;
                case "data_offsets" when offsets is null:
                    offsets = Numbers(key);
                    break;
                case "dtype" or "shape" or "data_offsets":
                    throw Fault($"{key} is given twice");
                default:
                    _reader.Skip();
                    break;
            }
        }
        Add(type ?? throw Fault("dtype is missing"),
            shape ?? throw Fault("shape is missing"),
            offsets ?? throw Fault("data_offsets is missing"));
    }

    private readonly void Add(SafetensorsType type, long[] shape, long[] offsets)
    {
        if (offsets.Length != 2)
            throw Fault($"data_offsets has {offsets.Length} numbers; 2 are needed, begin and end");
        (long begin, long end) = (offsets[0], offsets[1]);
        if (begin > end)
            throw Fault($"data_offsets [{begin}, {end}] end before they begin");
        if (end > _dataLength)
            throw Fault($"data_offsets [{begin}, {end}] reach beyond the file, which holds {_dataLength} bytes of data; "
                + "it is truncated or damaged");
        long needed = type.Size();
        foreach (long size in shape)
        {
            if (size != 0 && needed > long.MaxValue / size)
                throw Fault($"shape [{List(shape)}] overflows");
            needed *= size;
        }
        if (needed != end - begin)
            throw Fault($"shape [{List(shape)}] of {type.HeaderName()} takes {needed} bytes, "
                + $"data_offsets [{begin}, {end}] hold {end - begin}");
        if (!_entries.TryAdd(_tensor, new SafetensorsEntry(_tensor, type, shape, _dataStart + begin, needed)))
            throw Fault("it is listed twice");
    }

    /// <summary>
    /// The entries sorted by position, after the check that they fill the data without overlap or hole.
    /// </summary>
    private readonly OrderedDictionary<string, SafetensorsEntry> InDataOrder()
    {
        var ordered = new OrderedDictionary<string, SafetensorsEntry>(_entries.Count);
        long position = _dataStart;
        // Empty tensors first: they share their position with the tensor that follows.
        foreach (SafetensorsEntry entry in _entries.Values.OrderBy(entry => entry.ByteOffset).ThenBy(entry => entry.ByteLength))
        {
            if (entry.ByteOffset < position)
                throw new SoraException($"{_path}: tensor '{Shorten(entry.Name)}': its data overlap those of tensor "
                    + $"'{Shorten(ordered.GetAt(ordered.Count - 1).Key)}' by {position - entry.ByteOffset} bytes.");
            if (entry.ByteOffset > position)
                throw new SoraException(
                    $"{_path}: tensor '{Shorten(entry.Name)}': {entry.ByteOffset - position} bytes before "
                    + "its data belong to no tensor; the format allows no holes.");
            position += entry.ByteLength;
            ordered.Add(entry.Name, entry);
        }
        long rest = _dataStart + _dataLength - position;
        return rest == 0
            ? ordered
            : throw new SoraException(
                $"{_path}: {rest} bytes at the end belong to no tensor; the format allows no holes.");
    }

    /// <summary>The next property's name, the reader on it; null at the end of the object.</summary>
    private string? NextProperty()
    {
        _reader.Read();
        return _reader.TokenType == JsonTokenType.PropertyName ? Text() : null;
    }

    private void Expect(JsonTokenType type, string otherwise)
    {
        _reader.Read();
        if (_reader.TokenType != type)
            throw Fault(otherwise);
    }

    private long[] Numbers(string key)
    {
        Expect(JsonTokenType.StartArray, $"{key} is not a list");
        var numbers = new List<long>();
        while (_reader.Read() && _reader.TokenType != JsonTokenType.EndArray)
        {
            if (_reader.TokenType != JsonTokenType.Number || !_reader.TryGetInt64(out long number) || number < 0)
                throw Fault($"{key} holds '{Shorten(Encoding.UTF8.GetString(_reader.ValueSpan))}'; "
                    + $"allowed: whole numbers from 0 to {long.MaxValue}");
            if (numbers.Count == MostDimensions)
                throw Fault($"{key} holds more than {MostDimensions} numbers");
            numbers.Add(number);
        }
        return [.. numbers];
    }

    private readonly string Text()
    {
        try
        {
            return _reader.GetString()!;
        }
        catch (InvalidOperationException e) // How the reader reports "\uD800" without its second half.
        {
            throw new SoraException($"{_path}: the header holds text that is not valid Unicode.", e);
        }
    }

    private readonly SoraException Fault(string what) =>
        new(_tensor.Length == 0 ? $"{_path}: {what}." : $"{_path}: tensor '{Shorten(_tensor)}': {what}.");

    private static string Shorten(string text) => text.Length <= 120 ? text : string.Concat(text.AsSpan(0, 120), "…");

    private static string List(long[] shape) => Shorten(string.Join(", ", shape));
}
