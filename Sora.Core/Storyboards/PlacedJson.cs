using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Sora.Storyboards;

/// <summary>A value of a JSON file that knows where it stands, for messages to the person who wrote the file.</summary>
internal sealed class PlacedJson
{
    private readonly Dictionary<string, PlacedJson> _members = [];
    private readonly Dictionary<string, (int Line, int Column)> _names = [];
    private readonly List<PlacedJson> _items = [];
    private readonly string _text;

    private PlacedJson(string source, (int Line, int Column) at, JsonTokenType kind, string text) =>
        (Source, At, Kind, _text) = (source, at, kind, text);

    /// <summary>The file's name.</summary>
    public string Source { get; }

    /// <summary>Line and column of the value's first character, from 1; a column is a character.</summary>
    public (int Line, int Column) At { get; }

    /// <summary>What begins the value.</summary>
    public JsonTokenType Kind { get; }

    /// <summary>Where it stands, as <c>board.json:3:12: </c>.</summary>
    public string Place => string.Create(CultureInfo.InvariantCulture, $"{Source}:{At.Line}:{At.Column}: ");

    /// <summary>Reads a whole file.</summary>
    /// <param name="json">Its bytes, UTF-8.</param>
    /// <param name="source">Its name, for messages.</param>
    /// <exception cref="SoraException">It is no JSON; the message has line and column.</exception>
    public static PlacedJson Parse(ReadOnlySpan<byte> json, string source)
    {
        if (json.StartsWith("\uFEFF"u8))
            json = json["\uFEFF"u8.Length..];
        var reader = new Utf8JsonReader(json);
        try
        {
            reader.Read();
            PlacedJson root = Value(ref reader, json, source);
            reader.Read(); // what follows is an error
            return root;
        }
        catch (JsonException e)
        {
            ReadOnlySpan<byte> line = json;
            for (long i = 0; i < e.LineNumber; i++)
                line = line[(line.IndexOf((byte)'\n') + 1)..];
            int column = Encoding.UTF8.GetCharCount(line[..(int)Math.Min(e.BytePositionInLine ?? 0, line.Length)]) + 1;
            // The message ends with the place in its own words, from 0.
            string sentence = e.Message.Split(" LineNumber:", 2)[0].Split(" Path:", 2)[0];
            throw new SoraException(string.Create(CultureInfo.InvariantCulture, $"{source}:{e.LineNumber + 1}:{column}: not valid JSON: {sentence}"), e);
        }
    }

    /// <summary>A field of this object; null where it is absent or null.</summary>
    public PlacedJson? Find(string name) => _members.GetValueOrDefault(name) is { Kind: not JsonTokenType.Null } found ? found : null;

    /// <summary>A field of this object.</summary>
    /// <exception cref="SoraException">It is absent.</exception>
    public PlacedJson Get(string name) => Find(name) ?? throw Wrong($"{name} is missing.");

    /// <summary>The elements of this list.</summary>
    /// <exception cref="SoraException">It is none.</exception>
    public IReadOnlyList<PlacedJson> Items(string name) => Kind == JsonTokenType.StartArray ? _items : throw Wrong($"{name} is {Show}; allowed: a list.");

    /// <summary>This text.</summary>
    /// <exception cref="SoraException">It is none.</exception>
    public string Text(string name) => Kind == JsonTokenType.String ? _text : throw Wrong($"{name} is {Show}; allowed: text in quotes.");

    /// <summary>This number.</summary>
    /// <exception cref="SoraException">It is none.</exception>
    public double Number(string name) =>
        Kind == JsonTokenType.Number && double.TryParse(_text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && double.IsFinite(value)
            ? value : throw Wrong($"{name} is {Show}; allowed: a number.");

    /// <summary>This whole number.</summary>
    /// <exception cref="SoraException">It is none.</exception>
    public long Whole(string name) =>
        Kind == JsonTokenType.Number && long.TryParse(_text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long value)
            ? value : throw Wrong($"{name} is {Show}; allowed: a whole number.");

    /// <summary>This true or false.</summary>
    /// <exception cref="SoraException">It is neither.</exception>
    public bool Flag(string name) => Kind is JsonTokenType.True or JsonTokenType.False ? Kind == JsonTokenType.True : throw Wrong($"{name} is {Show}; allowed: true, false.");

    /// <summary>Requires an object with no other fields than these.</summary>
    /// <exception cref="SoraException">It is something else, or has others; the message names the nearest known one.</exception>
    public void RequireFields(string name, params ReadOnlySpan<string> known)
    {
        if (Kind != JsonTokenType.StartObject)
            throw Wrong($"{name} is {Show}; allowed: an object of {string.Join(", ", known)}.");
        string[] names = [.. known];
        foreach ((string field, (int Line, int Column) at) in _names)
        {
            if (names.Contains(field))
                continue;
            string nearest = NearestName.Find(field, names) is { } found ? $"; nearest: {found}" : "";
            throw new SoraException(string.Create(CultureInfo.InvariantCulture, $"{Source}:{at.Line}:{at.Column}: field '{field}' is unknown; known: {string.Join(", ", names)}{nearest}."));
        }
    }

    /// <summary>An error about this value.</summary>
    public SoraException Wrong(string sentence, Exception? inner = null) => inner is null ? new(Place + sentence) : new(Place + sentence, inner);

    private string Show => Kind switch
    {
        JsonTokenType.StartObject => "an object",
        JsonTokenType.StartArray => "a list",
        JsonTokenType.String => $"\"{(_text.Length <= 80 ? _text : string.Concat(_text.AsSpan(0, 80), "…"))}\"",
        _ => _text,
    };

    private static PlacedJson Value(ref Utf8JsonReader reader, ReadOnlySpan<byte> json, string source)
    {
        var value = new PlacedJson(source, PlaceOf(reader.TokenStartIndex, json), reader.TokenType,
            reader.TokenType == JsonTokenType.String ? TextOf(ref reader, json, source) : Encoding.UTF8.GetString(reader.ValueSpan));
        if (value.Kind == JsonTokenType.StartArray)
        {
            while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                value._items.Add(Value(ref reader, json, source));
        }
        else if (value.Kind == JsonTokenType.StartObject)
        {
            while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
            {
                string name = TextOf(ref reader, json, source);
                (int Line, int Column) at = PlaceOf(reader.TokenStartIndex, json);
                if (!value._names.TryAdd(name, at))
                    throw new SoraException(string.Create(CultureInfo.InvariantCulture, $"{source}:{at.Line}:{at.Column}: {name} is given twice; a field has one value."));
                reader.Read();
                value._members.Add(name, Value(ref reader, json, source));
            }
        }
        return value;
    }

    // Half of a surrogate pair, such as "\uD800", is no text.
    private static string TextOf(ref Utf8JsonReader reader, ReadOnlySpan<byte> json, string source)
    {
        try
        {
            return reader.GetString()!;
        }
        catch (InvalidOperationException e)
        {
            (int line, int column) = PlaceOf(reader.TokenStartIndex, json);
            throw new SoraException(string.Create(CultureInfo.InvariantCulture, $"{source}:{line}:{column}: not valid JSON: the text is not valid Unicode."), e);
        }
    }

    private static (int Line, int Column) PlaceOf(long offset, ReadOnlySpan<byte> json)
    {
        ReadOnlySpan<byte> before = json[..(int)offset];
        int lineStart = before.LastIndexOf((byte)'\n') + 1;
        return (before.Count((byte)'\n') + 1, Encoding.UTF8.GetCharCount(before[lineStart..]) + 1);
    }
}
