using System.Text.Json;

namespace Sora.Weights;

/// <summary>
/// The fields of one JSON object, asked for by name and kind. Null counts as absent, as Python's None does. What nobody
/// asked for is <see cref="Unknown"/>.
/// </summary>
internal sealed class ConfigFields(JsonElement root)
{
    private readonly HashSet<string> _known = [];

    /// <summary>Every field with its value, in the order of the file.</summary>
    public IEnumerable<JsonProperty> All => root.EnumerateObject();

    public int Integer(string field) => OptionalInteger(field) ?? throw Missing(field);

    public int Integer(string field, int fallback) => OptionalInteger(field) ?? fallback;

    public int? OptionalInteger(string field) => Find(field) is { } value ? Integer(value, field) : null;

    public double Number(string field, double fallback) => OptionalNumber(field) ?? fallback;

    public double? OptionalNumber(string field) => Find(field) is { } value ? Number(value, field) : null;

    public bool Flag(string field, bool fallback) => OptionalFlag(field) ?? fallback;

    public bool? OptionalFlag(string field) => Find(field) is { } value ? Flag(value, field) : null;

    public string Text(string field) => OptionalText(field) ?? throw Missing(field);

    public string Text(string field, string fallback) => OptionalText(field) ?? fallback;

    public string? OptionalText(string field) => Find(field) is { } value ? Text(value, field) : null;

    public ValueList<int> Integers(string field) => List(field, Integer) ?? throw Missing(field);

    public ValueList<int> Integers(string field, ValueList<int> fallback) => List(field, Integer) ?? fallback;

    public ValueList<double>? OptionalNumbers(string field) => List(field, Number);

    public ValueList<bool> Flags(string field, ValueList<bool> fallback) => List(field, Flag) ?? fallback;

    public ValueList<string> Texts(string field, ValueList<string> fallback) => List(field, Text) ?? fallback;

    public ConfigFields? OptionalObject(string field) => Find(field) is not { } value ? null
        : value.ValueKind == JsonValueKind.Object ? new(value)
        : throw Wrong(value, field, "an object");

    /// <summary>The value of a field of any kind; null where it is absent or null.</summary>
    public JsonElement? Find(string field)
    {
        _known.Add(field);
        return root.TryGetProperty(field, out JsonElement value) && value.ValueKind != JsonValueKind.Null ? value : null;
    }

    /// <summary>
    /// A feature that this library does not have: the field must be absent, null, or have the value that turns it
    /// off.
    /// </summary>
    public void Unsupported(string field, string off)
    {
        if (Find(field) is { } value && value.GetRawText().Trim() != off && !IsEmptyList(value, off))
            throw new SoraException($"{field} is {Show(value)}; allowed: {off}.");
    }

    /// <summary>Fields that are known and have no effect on inference.</summary>
    public void WithoutEffect(params ReadOnlySpan<string> fields)
    {
        foreach (string field in fields)
            _known.Add(field);
    }

    /// <summary>
    /// Fields that were never asked for. Names with an underscore in front belong to whoever wrote the file.
    /// </summary>
    public ValueList<string> Unknown() =>
        [.. All.Select(field => field.Name).Where(name => !_known.Contains(name) && !name.StartsWith('_'))];

    /// <summary>A value as the file writes it, cut where it is long.</summary>
    public static string Show(JsonElement value)
    {
        string text = value.GetRawText();
        return text.Length <= 80 ? text : string.Concat(text.AsSpan(0, 80), "…");
    }

    private static bool IsEmptyList(JsonElement value, string off) =>
        off == "[]" && value.ValueKind == JsonValueKind.Array && value.GetArrayLength() == 0;

    private ValueList<T>? List<T>(string field, Func<JsonElement, string, T> read)
    {
        if (Find(field) is not { } list)
            return null;
        return list.ValueKind == JsonValueKind.Array
            ? [.. list.EnumerateArray().Select(item => read(item, field))]
            : throw Wrong(list, field, "a list");
    }

    private static int Integer(JsonElement value, string field) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int number)
            ? number
            : throw Wrong(value, field, $"a whole number up to {int.MaxValue}");

    private static double Number(JsonElement value, string field) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out double number) && double.IsFinite(number)
            ? number
            : throw Wrong(value, field, "a finite number");

    private static bool Flag(JsonElement value, string field) => value.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw Wrong(value, field, "true or false"),
    };

    private static string Text(JsonElement value, string field) =>
        value.ValueKind == JsonValueKind.String ? value.GetString()! : throw Wrong(value, field, "text");

    private static SoraException Wrong(JsonElement value, string field, string allowed) =>
        new($"{field} is {Show(value)}; allowed: {allowed}.");

    private static SoraException Missing(string field) => new($"{field} is missing.");
}
