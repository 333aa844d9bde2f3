using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Sora.Frames;
using Sora.Weights;

namespace Sora.Training.Data;

/// <summary>
/// The videos and images of a folder with their captions (<c>.txt</c> beside them, or <c>metadata.jsonl</c>). Each clip is a shot
/// or a part of one, at the file's own aspect ratio and length, and at the training's rate; its frames are decoded when they are
/// asked for. Files that cannot be used are listed in <see cref="Problems"/> and passed over.
/// </summary>
public sealed class VideoFolder : IClipSource
{
    private static readonly ClipCaptions s_none = new([""], []);

    // Beside the media: captions, and what people and programs keep in folders.
    private static readonly HashSet<string> s_otherFiles = new(StringComparer.OrdinalIgnoreCase)
        { ".txt", ".json", ".jsonl", ".csv", ".tsv", ".md", ".parquet", ".srt", ".vtt", ".db", ".ini", ".lock", ".yaml", ".yml" };

    private readonly VideoFolderOptions _options;
    private readonly List<FileProblem> _problems;
    private readonly List<FolderClip> _clips = [];

    private VideoFolder(VideoFolderOptions options, List<FileProblem> problems) => (_options, _problems) = (options, problems);

    /// <inheritdoc/>
    public string Description => _options.Folder;

    /// <inheritdoc/>
    public int Count => _clips.Count;

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, long> Vocabulary
    {
        get
        {
            var words = new Dictionary<string, long>();
            foreach (ClipCaptions captions in _clips.Select(clip => clip.Captions).Distinct())
                CaptionWords.Count(words, captions.Short.Concat(captions.Detailed));
            return words;
        }
    }

    /// <summary>What was wrong with files, in their order.</summary>
    public IReadOnlyList<FileProblem> Problems => _problems;

    /// <summary>
    /// Reads the captions, and every video that is not in <see cref="VideoFolderOptions.ScanFile"/> once from its beginning to
    /// its end, in memory that does not grow with its length.
    /// </summary>
    /// <param name="options">The folder and the settings.</param>
    /// <param name="log">Told of problems and of how far it is.</param>
    /// <param name="cancellationToken">Stops at once; scans by then are kept.</param>
    /// <exception cref="SoraException">
    /// There is no such folder, nothing in it, no caption at all, a metadata line that cannot be read, or no file that can be
    /// used.
    /// </exception>
    public static VideoFolder Open(VideoFolderOptions options, Action<string> log, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(log);
        string[] files = MediaFiles(options.Folder);
        List<FileProblem> problems = [];
        FolderCaptions? captions = options.NeedsCaptions ? new(options.Folder, options.LongestCaption, problems) : null;
        foreach (string missing in captions?.Named.Except(files) ?? [])
        {
            string nearest = NearestName.Find(missing, files) is { } near ? $"; nearest: {near}" : "";
            problems.Add(new(missing, $"{FolderCaptions.MetadataName} names it and it is not there{nearest}", PassedOver: true));
        }

        var folder = new VideoFolder(options, problems);
        folder.Add(files, captions, log, cancellationToken);
        foreach (FileProblem problem in problems)
            log(problem.ToString());
        return folder.Count > 0 ? folder : throw folder.NothingToUse(files.Length);
    }

    /// <inheritdoc/>
    public ClipInfo Info(int clip)
    {
        FolderClip it = _clips[clip];
        string at = it.First == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $" at {it.First / _options.FrameRate.Value:0.##} s");
        string key = string.Create(CultureInfo.InvariantCulture, $"{it.Content} {it.First} {it.Shape} {_options.FrameRate}");
        return new(Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)).AsSpan(0, 16)), it.Shape, _options.FrameRate.Value, it.File + at);
    }

    /// <inheritdoc/>
    public ClipCaptions Captions(int clip) => _clips[clip].Captions;

    /// <inheritdoc/>
    public byte[] Draw(int clip, CancellationToken cancellationToken)
    {
        FolderClip it = _clips[clip];
        // A quarter of a frame early: the first frame's own time may be a rounding before the computed one, and the frame
        // before it is nearer to the last one.
        var read = new VideoReadOptions
        {
            Width = it.Shape.Width,
            Height = it.Shape.Height,
            Fit = FrameFit.Crop,
            FrameRate = it.IsImage ? null : _options.FrameRate,
            MaxFrames = it.Shape.Frames,
            Start = it.First == 0 ? TimeSpan.Zero : TimeSpan.FromSeconds((it.First - 0.25) / _options.FrameRate.Value),
        };
        int frameBytes = it.Shape.Width * it.Shape.Height * 3;
        var rgb = new byte[checked(frameBytes * it.Shape.Frames)];
        int count = 0;
        foreach (VideoFrame frame in VideoReader.Read(Path.Combine(_options.Folder, it.File), read, cancellationToken))
            frame.Rgb.Span.CopyTo(rgb.AsSpan(frameBytes * count++, frameBytes));
        return count == it.Shape.Frames ? rgb : throw new SoraException(
            $"{Info(clip).Name}: {count} of {it.Shape.Frames} frames could be read; the file has changed or is damaged.");
    }

    private static string[] MediaFiles(string folder)
    {
        if (!Directory.Exists(folder))
            throw new SoraException(File.Exists(folder) ? $"'{folder}' is a file; name a folder of videos and images." : $"The folder '{folder}' does not exist.");
        var everything = new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.Hidden | FileAttributes.System };
        string[] files =
        [
            .. Directory.EnumerateFiles(folder, "*", everything)
                .Where(file => !s_otherFiles.Contains(Path.GetExtension(file)))
                .Select(file => Path.GetRelativePath(folder, file).Replace(Path.DirectorySeparatorChar, '/'))
                .Order(StringComparer.Ordinal),
        ];
        return files.Length > 0 ? files : throw new SoraException($"The folder '{folder}' has no videos or images in it.");
    }

    private void Add(string[] files, FolderCaptions? captions, Action<string> log, CancellationToken cancellationToken)
    {
        var scans = new ScanRecord(_options.ScanFile, _options.FrameRate, _options.CutThreshold);
        int withCaption = 0;
        try
        {
            for (int i = 0; i < files.Length; i++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                try
                {
                    if ((captions is null ? s_none : captions.Find(files[i])) is not { } found)
                    {
                        PassOver(files[i], $"it has no caption: neither {Path.ChangeExtension(files[i], ".txt")} nor an entry in {FolderCaptions.MetadataName}");
                        continue;
                    }
                    withCaption++;
                    Add(files[i], found, scans, log, cancellationToken);
                }
                // SoraException: ffmpeg's word on the file. A file that may not be read is a bad file as well.
                catch (Exception e) when (e is SoraException or UnauthorizedAccessException or IOException)
                {
                    PassOver(files[i], e.Message);
                }
                scans.SaveSometimes();
                if ((i + 1) % 50 == 0)
                    log($"read {i + 1} of {files.Length} files");
            }
        }
        finally
        {
            scans.Save();
        }
        if (withCaption == 0)
            throw new SoraException(
                $"No file in '{_options.Folder}' has a caption; write one into a .txt of the same name ({Path.ChangeExtension(files[0], ".txt")}), "
                + $"or all into {FolderCaptions.MetadataName}, as in {{\"file_name\": \"{files[0]}\", \"text\": \"a dog runs\"}}.");
    }

    private void Add(string file, ClipCaptions captions, ScanRecord scans, Action<string> log, CancellationToken cancellationToken)
    {
        string path = Path.Combine(_options.Folder, file);
        string content = FileHash.Of(path);
        ScannedFile? scanned = scans.Find(content);
        if (scanned is null)
        {
            if (new FileInfo(path).Length > 100_000_000)
                log($"looking for cuts in {file} ...");
            scanned = ScannedFile.Scan(path, _options.FrameRate, _options.CutThreshold, cancellationToken);
            scans.Add(content, scanned);
        }
        int stride = _options.Strides.Spatial;
        if (NativeSize.Of(scanned.Width, scanned.Height, stride, _options.Shapes.MostArea) is not { } size)
        {
            PassOver(file, $"{scanned.Width}×{scanned.Height} pixels are too few; a side needs {stride} at an area of at most {_options.Shapes.MostArea}");
            return;
        }
        int before = _clips.Count;
        foreach ((int first, int frames) in scanned.Clips(_options.Shapes, _options.Strides))
            _clips.Add(new(file, content, captions, new(size.Width, size.Height, frames), first, scanned.IsImage));
        if (_clips.Count == before)
            PassOver(file, $"none of its shots has {_options.Shapes.Lengths(_options.Strides).Least} frames at {_options.FrameRate} frames a second; it has {scanned.Frames} frames and {scanned.Cuts.Count} cuts");
    }

    private void PassOver(string file, string reason) => _problems.Add(new(file, reason.Split('\n')[0], PassedOver: true));

    private SoraException NothingToUse(int files)
    {
        string reasons = string.Join("; ", _problems.Where(problem => problem.PassedOver).Take(3).Select(problem => $"{problem.File}: {problem.Reason}"));
        return new($"None of the {files} files in '{_options.Folder}' can be used: {reasons}{(files > 3 ? "; ..." : "")}");
    }

    private sealed record FolderClip(string File, string Content, ClipCaptions Captions, ClipShape Shape, int First, bool IsImage);
}
