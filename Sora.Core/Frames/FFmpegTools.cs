namespace Sora.Frames;

/// <summary>
/// Where the executables are: a path or a name to look up on PATH each, null for the usual name.
/// </summary>
internal sealed record FFmpegTools(string? FFmpeg, string? FFprobe)
{
    public const string FFmpegVariable = "SORA_FFMPEG";
    public const string FFprobeVariable = "SORA_FFPROBE";

    /// <summary>What the environment variables SORA_FFMPEG and SORA_FFPROBE name, else PATH.</summary>
    public static FFmpegTools FromEnvironment() => new(
        Environment.GetEnvironmentVariable(FFmpegVariable), Environment.GetEnvironmentVariable(FFprobeVariable));

    /// <summary>The full path of ffmpeg.</summary>
    /// <exception cref="SoraException">It is not there.</exception>
    public string FindFFmpeg() => Find("ffmpeg", FFmpeg, FFmpegVariable);

    /// <summary>The full path of ffprobe.</summary>
    /// <exception cref="SoraException">It is not there.</exception>
    public string FindFFprobe() => Find("ffprobe", FFprobe, FFprobeVariable);

    private static string Find(string tool, string? given, string variable)
    {
        string name = string.IsNullOrEmpty(given) ? tool : given;
        bool isPath = name.Contains(Path.DirectorySeparatorChar, StringComparison.Ordinal)
            || name.Contains(Path.AltDirectorySeparatorChar, StringComparison.Ordinal);
        string? found = isPath ? Executable(name) : OnPath(name);
        if (found is not null)
        {
            return found;
        }

        string where = string.IsNullOrEmpty(given)
            ? $"{tool} was not found on PATH."
            : $"{tool} was not found{(isPath ? "" : " on PATH")}: {variable} names '{given}', "
                + "which is no executable file.";
        throw new SoraException(
            $"{where} Install it (Debian and Ubuntu: apt-get install ffmpeg; macOS: brew install ffmpeg), "
            + $"or set {variable} to its path.");
    }

    private static string? OnPath(string name)
    {
        string[] folders = (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries);
        return folders
            .Select(folder => Executable(Path.Combine(folder, name)))
            .FirstOrDefault(path => path is not null);
    }

    private static string? Executable(string path)
    {
        string full = Path.GetFullPath(path);
        if (OperatingSystem.IsWindows())
        {
            return File.Exists(full) ? full : File.Exists(full + ".exe") ? full + ".exe" : null;
        }

        const UnixFileMode execute = UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
        return File.Exists(full) && (File.GetUnixFileMode(full) & execute) != 0 ? full : null;
    }
}
