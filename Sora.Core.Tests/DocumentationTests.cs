using System.Text.RegularExpressions;
using Xunit;

namespace Sora.Tests;

/// <summary>README.md and docs/: their C# is code that the build compiles, and their links lead somewhere.</summary>
public partial class DocumentationTests
{
    private static readonly string s_root = FindRoot();

    public static TheoryData<string> Pages =>
        ["README.md", .. Directory.EnumerateFiles(Path.Combine(s_root, "docs"), "*.md").Select(file => Path.GetRelativePath(s_root, file)).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Pages))]
    public void EveryBlockOfCSharpIsPartOfASample(string page)
    {
        string[] samples = [.. Directory.EnumerateFiles(Path.Combine(s_root, "samples"), "*.cs", SearchOption.AllDirectories)
            .Where(file => !file.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal))
            .Select(file => Lines(File.ReadAllText(file)))];
        foreach (Match block in CSharpBlock.Matches(File.ReadAllText(Path.Combine(s_root, page))))
        {
            string code = Lines(block.Groups[1].Value);
            Assert.True(samples.Any(sample => sample.Contains(code, StringComparison.Ordinal)), $"{page}: no file in samples/ holds this block:\n{block.Groups[1].Value}");
        }
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public void EveryLinkToAFileLeadsToOne(string page)
    {
        string folder = Path.GetDirectoryName(Path.Combine(s_root, page))!;
        foreach (Match link in LinkTarget.Matches(File.ReadAllText(Path.Combine(s_root, page))))
        {
            string target = link.Groups[1].Value.Split('#')[0];
            bool elsewhere = target.Length == 0 || target.Contains("://", StringComparison.Ordinal);
            Assert.True(elsewhere || Path.Exists(Path.Combine(folder, target)), $"{page} links to {target}, which is not there.");
        }
    }

    /// <summary>The text without indentation and empty lines: a page shows code moved to the left margin.</summary>
    private static string Lines(string text) =>
        string.Concat(text.Split('\n').Select(line => line.Trim()).Where(line => line.Length > 0).Select(line => line + "\n"));

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "Sora.sln")))
                return folder.FullName;
        throw new InvalidOperationException($"There is no Sora.sln above {AppContext.BaseDirectory}.");
    }

    [GeneratedRegex(@"^```(?:csharp|cs|c#)\s*\n(.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline | RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex CSharpBlock { get; }

    // Not images: the README's picture is drawn by the trained model.
    [GeneratedRegex(@"(?<!!)\[[^\]]*\]\(([^)\s]+)\)", RegexOptions.CultureInvariant)]
    private static partial Regex LinkTarget { get; }
}
