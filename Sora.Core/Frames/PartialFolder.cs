using System.Globalization;
using System.Text.RegularExpressions;

namespace Sora.Frames;

/// <summary>
/// A folder of frames under a temporary name. A new folder takes its name in one rename. In a folder that exists, the
/// frames are moved in one by one and replace an earlier clip: frames of the same numbers are overwritten, frames of
/// higher numbers, which would otherwise prolong the new clip, are removed. Files of other names are left alone.
/// </summary>
internal sealed partial class PartialFolder : PartialOutput
{
    /// <summary>The name of a folder's first frame.</summary>
    public const string FirstName = "frame-0001.png";

    private readonly string target;
    private readonly bool existed;

    /// <summary>Creates the temporary folder: beside a new one, inside one that exists.</summary>
    public PartialFolder(string target)
    {
        this.target = target;
        existed = Directory.Exists(target);
        string place = existed ? target : Path.GetDirectoryName(target)!;
        WorkingDirectory = Path.Combine(place, TemporaryName(existed ? "frames" : Path.GetFileName(target)));
        Directory.CreateDirectory(WorkingDirectory);
    }

    /// <inheritdoc/>
    /// <remarks>
    /// Relative, because ffmpeg would look for a number's place in the whole path, and folders may have a % in theirs.
    /// </remarks>
    public override string Argument => "frame-%04d.png";

    /// <inheritdoc/>
    public override string WorkingDirectory { get; }

    /// <inheritdoc/>
    public override string FirstFile => Path.Combine(WorkingDirectory, FirstName);

    /// <inheritdoc/>
    public override void Commit()
    {
        if (!existed && !Directory.Exists(target))
        {
            Directory.Move(WorkingDirectory, target);
            return;
        }

        int count = 0;
        foreach (string frame in Directory.EnumerateFiles(WorkingDirectory).ToArray())
        {
            File.Move(frame, Path.Combine(target, Path.GetFileName(frame)), overwrite: true);
            count++;
        }

        foreach (string file in Directory.EnumerateFiles(target).ToArray())
        {
            Match match = FrameName().Match(Path.GetFileName(file));
            if (match.Success && int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture) > count)
            {
                File.Delete(file);
            }
        }

        Directory.Delete(WorkingDirectory);
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        if (Directory.Exists(WorkingDirectory))
        {
            Directory.Delete(WorkingDirectory, recursive: true);
        }
    }

    [GeneratedRegex(@"^frame-([0-9]{4,9})\.png$", RegexOptions.CultureInvariant)]
    private static partial Regex FrameName();
}
