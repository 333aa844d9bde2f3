using System.Collections.Concurrent;

namespace Sora.Frames;

/// <summary>
/// What ffprobe said of files, for as long as they stay as they were: a training draws a clip of the same file again and again, and
/// starting ffprobe takes longer than reading one.
/// </summary>
internal static class ProbedFiles
{
    private const int Most = 10_000; // entries of some hundred bytes

    private static readonly ConcurrentDictionary<(string Probe, string File), (Stamp Stamp, ProbedMedia Media)> s_known = new();

    /// <summary>What is known of a file; asked of ffprobe where nothing is, or where the file has changed.</summary>
    /// <param name="path">The file, which exists.</param>
    /// <param name="ffprobe">The executable that is asked.</param>
    /// <param name="probe">Asks it.</param>
    public static ProbedMedia Get(string path, string ffprobe, Func<ProbedMedia> probe)
    {
        (string, string) key = (ffprobe, Path.GetFullPath(path));
        // Looked at before the file is read: what is written while ffprobe reads makes it another file.
        Stamp stamp = StampOf(path);
        if (s_known.TryGetValue(key, out (Stamp Stamp, ProbedMedia Media) known) && known.Stamp == stamp)
            return known.Media with { Path = path };
        ProbedMedia media = probe();
        if (s_known.Count >= Most)
            s_known.Clear();
        s_known[key] = (stamp, media);
        return media;
    }

    // Of the file itself where the path is a link to it.
    private static Stamp StampOf(string path)
    {
        var named = new FileInfo(path);
        var file = (FileInfo?)named.ResolveLinkTarget(returnFinalTarget: true) ?? named;
        return new(file.FullName, file.Length, file.LastWriteTimeUtc);
    }

    private readonly record struct Stamp(string File, long Length, DateTime Written);
}
