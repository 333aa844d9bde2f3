namespace Sora.Frames;

/// <summary>A file under a temporary name: <c>.fish.mp4.partial-1b2c3d4e.mp4</c> beside <c>fish.mp4</c>.</summary>
internal sealed class PartialFile : PartialOutput
{
    private readonly string target;
    private readonly string temporary;

    /// <summary>Creates the temporary file, empty.</summary>
    public PartialFile(string target)
    {
        this.target = target;
        WorkingDirectory = Path.GetDirectoryName(target)!;
        temporary = Path.Combine(WorkingDirectory, TemporaryName(Path.GetFileName(target)));
        File.Open(temporary, FileMode.CreateNew, FileAccess.Write).Dispose();
    }

    /// <inheritdoc/>
    /// <remarks>The protocol's name in front keeps a colon in the path from being taken for another protocol.</remarks>
    public override string Argument => "file:" + temporary;

    /// <inheritdoc/>
    public override string WorkingDirectory { get; }

    /// <inheritdoc/>
    public override string FirstFile => temporary;

    /// <inheritdoc/>
    public override void Commit() => File.Move(temporary, target, overwrite: true);

    /// <inheritdoc/>
    public override void Dispose()
    {
        if (File.Exists(temporary))
        {
            File.Delete(temporary);
        }
    }
}
