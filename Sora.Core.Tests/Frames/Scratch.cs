using System.Runtime.CompilerServices;
using Sora.Frames;
using Xunit;

namespace Sora.Tests.Frames;

/// <summary>A folder for one test's files, gone after it.</summary>
internal sealed class Scratch : IDisposable
{
    public Scratch([CallerMemberName] string test = "") =>
        Folder = Directory.CreateTempSubdirectory($"sora-{test}-").FullName;

    public string Folder { get; }

    /// <summary>Everything in the folder, hidden files included.</summary>
    public string[] Names =>
        [.. Directory.EnumerateFileSystemEntries(Folder).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];

    public string this[string name] => Path.Combine(Folder, name);

    /// <summary>Runs the real ffmpeg, for files that the library cannot make.</summary>
    public static void FFmpeg(params string[] arguments)
    {
        (FFmpegExit exit, _) = FFmpegProcess.Run(
            FFmpegTools.FromEnvironment().FindFFmpeg(), ["-nostdin", "-loglevel", "error", "-y", .. arguments], default);
        Assert.True(exit.Code == 0, exit.LastLines);
    }

    /// <summary>A shell script that stands in for ffmpeg.</summary>
    /// <remarks>
    /// A shell writes it: were it open for writing in this process, a process forked just then for another test would
    /// hold it open, and a file open for writing cannot be executed.
    /// </remarks>
    public FFmpegTools Stub(string script)
    {
        string path = this["stub.sh"];
        (FFmpegExit exit, _) = FFmpegProcess.Run(
            "/bin/sh", ["-c", "printf '#!/bin/sh\\n%s\\n' \"$2\" > \"$1\" && chmod +x \"$1\"", "sh", path, script], default);
        Assert.True(exit.Code == 0, exit.LastLines);
        return new FFmpegTools(path, null);
    }

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
