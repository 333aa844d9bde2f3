namespace Sora.Weights;

/// <summary>What is in a folder, in the order of names; an error that says which folder cannot be listed.</summary>
internal static class FolderContents
{
    /// <summary>The paths of the files.</summary>
    /// <param name="folder">A folder that exists.</param>
    /// <exception cref="SoraException">It cannot be listed.</exception>
    public static IReadOnlyList<string> Files(string folder) => List(folder, () => Directory.EnumerateFiles(folder));

    /// <summary>The paths of files and folders.</summary>
    /// <param name="folder">A folder that exists.</param>
    /// <exception cref="SoraException">It cannot be listed.</exception>
    public static IReadOnlyList<string> All(string folder) => List(folder, () => Directory.EnumerateFileSystemEntries(folder));

    private static string[] List(string folder, Func<IEnumerable<string>> entries)
    {
        try
        {
            return [.. entries().Order(StringComparer.Ordinal)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SoraException($"{folder}: cannot be listed: {e.Message}", e);
        }
    }
}
