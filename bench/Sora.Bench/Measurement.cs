using System.Globalization;
using System.Text.Json.Serialization;

namespace Sora.Bench;

/// <summary>One row of the table.</summary>
/// <param name="Name">What was measured.</param>
/// <param name="Value">The number; null when it could not be measured, and the note says why.</param>
/// <param name="Unit">What it counts.</param>
/// <param name="Least">The least value that is good; null: none.</param>
/// <param name="Most">The greatest value that is good; null: none.</param>
/// <param name="Note">What a reader needs to know about it.</param>
/// <param name="Exact">Whether a correct build meets the target on every machine and at every size, however busy it is.</param>
internal sealed record Measurement(
    string Name, double? Value, string Unit, double? Least = null, double? Most = null, string? Note = null, [property: JsonIgnore] bool Exact = false)
{
    public string Target => (Least, Most) switch
    {
        ({ } least, null) => $"at least {Show(least)}",
        (null, { } most) => $"at most {Show(most)}",
        _ => "",
    };

    /// <summary>Whether the target is met; null without a value or a target.</summary>
    public bool? Met => Value is { } value && Target.Length > 0
        ? (Least is not { } least || value >= least) && (Most is not { } most || value <= most)
        : null;

    public string Shown => Value is { } value ? Show(value) : "not measured";

    public static Measurement Missing(string name, string unit, string why) => new(name, null, unit, Note: why);

    private string Show(double value)
    {
        string number = unit() == "%"
            ? (value * 100).ToString("0.##", CultureInfo.InvariantCulture)
            : value.ToString(Math.Abs(value) >= 100 ? "0" : "0.###", CultureInfo.InvariantCulture);
        return unit() switch
        {
            "" => number,
            "%" => $"{number} %",
            var other => $"{number} {other}",
        };

        string unit() => Unit;
    }
}
