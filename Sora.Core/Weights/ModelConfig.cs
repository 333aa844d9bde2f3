using System.Globalization;
using System.Numerics;

namespace Sora.Weights;

/// <summary>
/// A JSON file of a model folder. Each property checks its own range when it is set; <see cref="Validate"/> checks
/// properties against each other, and runs on every file that is read or written.
/// </summary>
public abstract record ModelConfig
{
    /// <summary>Fields of the file that this library does not know; they are not written back.</summary>
    public ValueList<string> UnknownFields { get; init; } = [];

    /// <summary>
    /// Checks what depends on more than one property. Code that makes a configuration calls it before use.
    /// </summary>
    /// <exception cref="SoraException">Two values contradict each other; the message names both fields.</exception>
    public virtual void Validate()
    {
    }

    /// <summary>The file's text, laid out as Python's diffusers and transformers write it.</summary>
    /// <exception cref="SoraException">The configuration is not valid.</exception>
    public string ToJson()
    {
        Validate();
        var fields = new SortedDictionary<string, object?>(StringComparer.Ordinal);
        Write(fields);
        return PythonJson.Format(fields);
    }

    /// <summary>Writes <see cref="ToJson"/> to a file, which is replaced in one step.</summary>
    /// <exception cref="SoraException">The configuration is not valid, or the file cannot be written.</exception>
    public void Save(string path)
    {
        byte[] text = System.Text.Encoding.UTF8.GetBytes(ToJson());
        AtomicFile.Write(path, text.Length, stream => stream.Write(text));
    }

    private protected abstract void Write(SortedDictionary<string, object?> fields);

    /// <summary>The value, if it lies in the range, both ends included.</summary>
    private protected static T Within<T>(T value, T least, T greatest, string field)
        where T : struct, INumber<T> =>
        new ValueRange<T>(least, greatest).Require(field, value)!.Value;

    private protected static T? Within<T>(T? value, T least, T greatest, string field)
        where T : struct, INumber<T> =>
        new ValueRange<T>(least, greatest).Require(field, value);

    /// <summary>The list, if its length and every element lie in their ranges, both ends included.</summary>
    private protected static ValueList<T> AllWithin<T>(
        ValueList<T> values, (int Least, int Greatest) count, (T Least, T Greatest) range, string field)
        where T : struct, INumber<T>
    {
        ArgumentNullException.ThrowIfNull(values);
        RequireCount(values, count, field);
        for (int i = 0; i < values.Count; i++)
            Within(values[i], range.Least, range.Greatest, string.Create(CultureInfo.InvariantCulture, $"{field}[{i}]"));
        return values;
    }

    private protected static void RequireCount<T>(ValueList<T> values, (int Least, int Greatest) count, string field)
    {
        if (values.Count >= count.Least && values.Count <= count.Greatest)
            return;
        string allowed = count.Least == count.Greatest ? $"{count.Least}" : $"{count.Least} to {count.Greatest}";
        throw new SoraException($"{field} has {values.Count} values; allowed: {allowed}.");
    }

    /// <summary>The text, if it is one of those that the library implements.</summary>
    private protected static string OneOf(string value, string field, params ReadOnlySpan<string> allowed)
    {
        foreach (string known in allowed)
            if (known == value)
                return value;
        throw new SoraException($"{field} is '{value}'; allowed: {string.Join(", ", allowed)}.");
    }

    private protected static string NotEmpty(string value, string field) =>
        string.IsNullOrEmpty(value) ? throw new SoraException($"{field} is empty.") : value;
}
