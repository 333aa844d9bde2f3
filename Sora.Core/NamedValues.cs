namespace Sora;

/// <summary>The values of one setting by the names that people write.</summary>
internal sealed class NamedValues<T>(string setting, params (string Name, T Value)[] values)
    where T : struct, Enum
{
    public IReadOnlyList<string> Names { get; } = [.. values.Select(entry => entry.Name)];

    public T Parse(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        foreach ((string known, T value) in values)
            if (string.Equals(known, name, StringComparison.OrdinalIgnoreCase))
                return value;
        string nearest = NearestName.Find(name, Names) is { } found ? $", nearest: {found}" : "";
        throw new SoraException($"{setting} '{name}' is unknown; known: {string.Join(", ", Names)}{nearest}.");
    }

    public string NameOf(T value)
    {
        foreach ((string name, T known) in values)
            if (EqualityComparer<T>.Default.Equals(known, value))
                return name;
        throw new ArgumentOutOfRangeException(nameof(value), value, $"Not a value of {typeof(T).Name}.");
    }
}
