namespace Sora;

/// <summary>The names of the precisions, as a command line or a configuration file writes them.</summary>
public static class PrecisionNames
{
    private static readonly NamedValues<Precision> Values = new("Precision",
        ("auto", Precision.Auto),
        ("full", Precision.Full),
        ("bf16", Precision.BFloat16),
        ("int8", Precision.Int8));

    /// <summary>Every known name: <c>auto</c>, <c>full</c>, <c>bf16</c>, <c>int8</c>.</summary>
    public static IReadOnlyList<string> All => Values.Names;

    /// <summary>The precision of this name, in any letter case.</summary>
    /// <exception cref="SoraException">The name is unknown; the message lists the known ones.</exception>
    public static Precision Parse(string name) => Values.Parse(name);

    /// <summary>The name that <see cref="Parse"/> reads back.</summary>
    public static string NameOf(Precision precision) => Values.NameOf(precision);
}
