namespace Sora.Tests.Parity;

/// <summary>
/// The folder of reference cases: the one that the environment variable SORA_FIXTURES names, else the copy beside the tests.
/// </summary>
internal static class FixtureFolder
{
    // Data of other tests.
    private static readonly string[] NotCases = ["checkpoints", "configs", "pickled", "random_strings"];

    public static string Root { get; } = Environment.GetEnvironmentVariable("SORA_FIXTURES") is { Length: > 0 } folder
        ? folder
        : Path.Combine(AppContext.BaseDirectory, "Fixtures");

    public static IEnumerable<string> Cases() =>
        Directory.EnumerateDirectories(Root)
            .Select(folder => Path.GetFileName(folder))
            .Where(name => !NotCases.Contains(name))
            .Order(StringComparer.Ordinal);

    public static string PathOf(string name) => Path.Combine(Root, name);

    /// <summary>The sub-folders of a case, one for each call of the network.</summary>
    public static IReadOnlyList<string> Calls(string folder)
    {
        string[] calls = [.. Directory.EnumerateDirectories(folder)
            .Where(call => File.Exists(Path.Combine(call, "io.safetensors"))).Order(StringComparer.Ordinal)];
        Xunit.Assert.NotEmpty(calls);
        return calls;
    }
}
