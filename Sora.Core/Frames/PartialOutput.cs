namespace Sora.Frames;

/// <summary>
/// What is being written, under a temporary name beside the final one. It takes the final name when it is complete, in
/// one rename, and disappears when it is not.
/// </summary>
internal abstract class PartialOutput : IDisposable
{
    /// <summary>ffmpeg's output argument.</summary>
    public abstract string Argument { get; }

    /// <summary>Where ffmpeg must run for <see cref="Argument"/> to mean this output.</summary>
    public abstract string WorkingDirectory { get; }

    /// <summary>The path of the file, or of the first one, under its temporary name.</summary>
    public abstract string FirstFile { get; }

    /// <summary>Creates the temporary file or folder.</summary>
    /// <param name="path">The final name, as the user gave it.</param>
    /// <param name="format">From <see cref="VideoFormat.Of"/>.</param>
    /// <exception cref="SoraException">There is no such folder, or it cannot be written to.</exception>
    public static PartialOutput Create(string path, VideoFormat format)
    {
        string target = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        string? parent = Path.GetDirectoryName(target);
        if (parent is not null && !Directory.Exists(parent))
        {
            throw new SoraException(
                $"'{path}' cannot be written: the folder '{parent}' does not exist; create it first.");
        }

        bool isFolder = format == VideoFormat.Folder;
        if (isFolder && File.Exists(target))
        {
            throw new SoraException(
                $"'{path}' names a folder, but is a file. Write to another folder, or to '{target}.mp4'.");
        }

        try
        {
            return isFolder ? new PartialFolder(target) : new PartialFile(target);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new SoraException($"'{path}' cannot be written: there is no permission to write in its folder.", e);
        }
        catch (IOException e)
        {
            throw new SoraException($"'{path}' cannot be written: {e.Message}", e);
        }
    }

    /// <summary>Gives the output its final name, in place of what had it.</summary>
    public abstract void Commit();

    /// <summary>Removes what was not committed.</summary>
    public abstract void Dispose();

    /// <summary>A temporary name beside <paramref name="name"/>: hidden, unique, with the same extension.</summary>
    protected static string TemporaryName(string name)
    {
        // Names of files are limited to 255 bytes: a long one is left out.
        string start = System.Text.Encoding.UTF8.GetByteCount(name) > 200 ? "" : name;
        return $".{start}.partial-{Guid.NewGuid().ToString("N")[..8]}{Path.GetExtension(name)}";
    }
}
