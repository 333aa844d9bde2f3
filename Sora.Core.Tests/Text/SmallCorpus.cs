namespace Sora.Tests.Text;

/// <summary>Word counts of a small corpus of captions.</summary>
internal static class SmallCorpus
{
    public static Dictionary<string, long> WordCounts { get; } = new(StringComparer.Ordinal)
    {
        ["a"] = 900, ["the"] = 700, ["red"] = 120, ["fish"] = 110, ["swims"] = 90, ["left"] = 80, ["in"] = 400,
        ["deep"] = 40, ["sea"] = 40, ["Blue"] = 60, ["blue"] = 60, ["cat"] = 33, ["caf\u00E9"] = 2, ["slowly"] = 21,
        ["camera"] = 25, ["moves"] = 24, ["light"] = 9, ["morning"] = 8, ["together"] = 3, ["don\u2019t"] = 2,
        ["blue-green"] = 1, ["3D"] = 5, ["\u043C\u043E\u0440\u0435"] = 2,
    };
}
