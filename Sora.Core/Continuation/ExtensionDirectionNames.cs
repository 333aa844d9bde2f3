namespace Sora.Continuation;

/// <summary>Directions by the names that files and the command line use.</summary>
public static class ExtensionDirectionNames
{
    private static readonly NamedValues<ExtensionDirection> Values = new("Direction",
        ("forward", ExtensionDirection.Forward), ("backward", ExtensionDirection.Backward), ("both", ExtensionDirection.Both));

    /// <summary>All names.</summary>
    public static IReadOnlyList<string> All => Values.Names;

    /// <summary>The direction of a name.</summary>
    /// <exception cref="SoraException">The name is unknown; the message lists the known ones.</exception>
    public static ExtensionDirection Parse(string name) => Values.Parse(name);

    /// <summary>The name of a direction.</summary>
    public static string NameOf(ExtensionDirection direction) => Values.NameOf(direction);
}
