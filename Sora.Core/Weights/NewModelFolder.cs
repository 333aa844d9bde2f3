namespace Sora.Weights;

/// <summary>
/// A model folder that is being written: it has its name when everything is in it, and nothing remains of one that could not be
/// finished.
/// </summary>
internal sealed class NewModelFolder : IDisposable
{
    private readonly string _target;
    private readonly string _temporary;

    /// <param name="target">The folder; it may exist if it is empty.</param>
    /// <param name="bytes">What it will hold.</param>
    /// <exception cref="SoraException">The folder has something in it, cannot be made, or does not fit on the disk.</exception>
    public NewModelFolder(string target, long bytes)
    {
        ArgumentException.ThrowIfNullOrEmpty(target);
        _target = Path.GetFullPath(target).TrimEnd(Path.DirectorySeparatorChar);
        string parent = Path.GetDirectoryName(_target) ?? throw new SoraException($"{target} is no folder that can be made.");
        _temporary = $"{_target}.{Path.GetRandomFileName()}.tmp";
        if (File.Exists(_target) || (Directory.Exists(_target) && Directory.EnumerateFileSystemEntries(_target).Any()))
            throw new SoraException($"{target} is there already; name a folder that does not exist or is empty.");
        try
        {
            Directory.CreateDirectory(parent);
            long free = new DriveInfo(parent).AvailableFreeSpace;
            if (free < bytes)
                throw new SoraException($"{target}: {bytes / 1e9:F1} GB are needed and {free / 1e9:F1} GB are free on its disk.");
            Directory.CreateDirectory(_temporary);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SoraException($"{target}: cannot be written: {e.Message}", e);
        }
    }

    /// <summary>The path of a file in it; the folder of a part is made.</summary>
    public string PathOf(string part, string name) => Path.Combine(Folder(part), name);

    /// <summary>The folder of a part; an empty name is the model's own.</summary>
    public string Folder(string part) => Directory.CreateDirectory(Path.Combine(_temporary, part)).FullName;

    /// <summary>Gives the folder its name.</summary>
    /// <exception cref="SoraException">It cannot be moved.</exception>
    public void Finish()
    {
        try
        {
            if (Directory.Exists(_target))
                Directory.Delete(_target); // Empty, or it would not be deleted.
            Directory.Move(_temporary, _target);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SoraException($"{_target}: cannot be written: {e.Message}", e);
        }
    }

    /// <summary>Removes what was not finished.</summary>
    public void Dispose()
    {
        if (Directory.Exists(_temporary))
            Directory.Delete(_temporary, recursive: true);
    }
}
