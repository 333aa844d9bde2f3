namespace Sora.Frames;

/// <summary>How ffmpeg writes one kind of file.</summary>
/// <param name="Name">The file name's extension, or what the kind is called in a message.</param>
/// <param name="Encoder">The encoder that this ffmpeg must have.</param>
/// <param name="Arguments">ffmpeg's output options, filters and muxer included.</param>
internal sealed record VideoFormat(string Name, string Encoder, IReadOnlyList<string> Arguments)
{
    // RGB is full-range sRGB. Video players expect limited-range BT.709, and files that say so.
    private const string ToBt709 =
        "scale=out_color_matrix=bt709:out_range=tv:" + FrameGeometry.ScaleFlags + ",format=yuv420p,"
        + "setparams=range=tv:color_primaries=bt709:color_trc=bt709:colorspace=bt709";

    // One palette for the clip, so that still parts stay still. It is known after the last frame: until then ffmpeg
    // holds the frames in its memory.
    private const string ToPalette =
        "split[frames][copy];[copy]palettegen=stats_mode=full[palette];"
        + "[frames][palette]paletteuse=dither=sierra2_4a:diff_mode=rectangle";

    // JFIF: full-range BT.601, here without subsampled chroma.
    private const string ToJfif =
        "scale=out_color_matrix=bt601:out_range=full:" + FrameGeometry.ScaleFlags + ",format=yuvj444p";

    // The number of threads is part of x264's result, so it is fixed rather than taken from the machine.
    private static readonly string[] H264 =
        ["-vf", ToBt709, "-c:v", "libx264", "-preset", "medium", "-crf", "16", "-threads", "4",
         "-movflags", "+faststart"];

    private static readonly Dictionary<string, VideoFormat> ByExtension = new VideoFormat[]
    {
        new(".mp4", "libx264", [.. H264, "-f", "mp4"]) { NeedsEvenSize = true, MaximumSide = 16384 },
        new(".m4v", "libx264", [.. H264, "-f", "mp4"]) { NeedsEvenSize = true, MaximumSide = 16384 },
        new(".mov", "libx264", [.. H264, "-f", "mov"]) { NeedsEvenSize = true, MaximumSide = 16384 },
        new(".webm", "libvpx-vp9",
            ["-vf", ToBt709, "-c:v", "libvpx-vp9", "-crf", "20", "-b:v", "0", "-deadline", "good", "-cpu-used", "2",
             "-row-mt", "0", "-tile-columns", "2", "-threads", "4", "-f", "webm"]),

        // Browsers show a frame for two hundredths of a second at least.
        new(".gif", "gif", ["-filter_complex", ToPalette, "-c:v", "gif", "-loop", "0", "-f", "gif"])
        {
            MaximumRate = 50,
            WriteComment = GifComment.Write,
        },

        // 14 bits for a side: https://developers.google.com/speed/webp/docs/riff_container
        new(".webp", "libwebp_anim",
            ["-pix_fmt", "bgra", "-c:v", "libwebp_anim", "-lossless", "0", "-quality", "90",
             "-loop", "0", "-f", "webp"])
        {
            MaximumSide = 16383,
        },
        new(".png", "png", ["-c:v", "png", "-pix_fmt", "rgb24", "-update", "1", "-f", "image2"])
        {
            OneFrame = true,
            WriteComment = PngComment.Write,
        },
        new(".jpg", "mjpeg", ["-vf", ToJfif, "-c:v", "mjpeg", "-q:v", "2", "-update", "1", "-f", "image2"])
        {
            OneFrame = true,
        },
        new(".jpeg", "mjpeg", ["-vf", ToJfif, "-c:v", "mjpeg", "-q:v", "2", "-update", "1", "-f", "image2"])
        {
            OneFrame = true,
        },
    }.ToDictionary(format => format.Name, StringComparer.OrdinalIgnoreCase);

    /// <summary>A folder of frame-0001.png, frame-0002.png and so on.</summary>
    public static VideoFormat Folder { get; } =
        new("folder", "png", ["-c:v", "png", "-pix_fmt", "rgb24", "-start_number", "1", "-f", "image2"])
        {
            WriteComment = PngComment.Write,
        };

    /// <summary>The extensions of the files that can be written.</summary>
    public static IReadOnlyCollection<string> Extensions => ByExtension.Keys;

    /// <summary>
    /// Writes a comment into a file (path, text) where ffmpeg has no place for one; null where it has, and for formats
    /// without comments.
    /// </summary>
    public Action<string, string>? WriteComment { get; private init; }

    /// <summary>Whether the file holds exactly one frame.</summary>
    public bool OneFrame { get; private init; }

    /// <summary>
    /// Whether width and height must be even: 4:2:0 chroma has half of each, and H.264 has no way to say that the last
    /// luma row has no chroma.
    /// </summary>
    public bool NeedsEvenSize { get; private init; }

    /// <summary>The longest side in pixels.</summary>
    public int MaximumSide { get; private init; } = 65535;

    /// <summary>The most frames per second that the format can show.</summary>
    public int MaximumRate { get; private init; } = FrameRate.Maximum;

    /// <summary>
    /// The format that a path asks for: a folder when it ends in a separator, is a folder already or has no extension,
    /// else what the extension says.
    /// </summary>
    /// <exception cref="SoraException">The extension is not known.</exception>
    public static VideoFormat Of(string path)
    {
        if (string.IsNullOrWhiteSpace(path) || path.Contains('\0', StringComparison.Ordinal))
        {
            throw new SoraException($"'{path}' is not a path to write to; give a name such as fish.mp4.");
        }

        string extension = Path.GetExtension(path);
        if (Path.EndsInDirectorySeparator(path) || extension.Length == 0 || Directory.Exists(path))
        {
            return Folder;
        }

        return ByExtension.TryGetValue(extension, out VideoFormat? format)
            ? format
            : throw new SoraException(
                $"'{path}' ends in {extension}, which cannot be written. Known: {string.Join(", ", ByExtension.Keys)}, "
                + $"or a folder of png files ('{Path.GetFileNameWithoutExtension(path)}/').");
    }

    /// <summary>Refuses more than one frame where the format holds one.</summary>
    /// <exception cref="SoraException">There are more.</exception>
    public void RequireFrameCount(string path, int count)
    {
        if (OneFrame && count > 1)
        {
            throw new SoraException(
                $"'{path}' can hold one frame only. Write the clip to '{Path.ChangeExtension(path, ".mp4")}', "
                + $"or its frames to the folder '{Path.ChangeExtension(path, null)}/'.");
        }
    }

    /// <summary>Refuses a rate that the format cannot show.</summary>
    /// <exception cref="SoraException">It is too fast.</exception>
    public void RequireRate(string path, FrameRate rate)
    {
        if (rate.Value > MaximumRate)
        {
            throw new SoraException(
                $"'{path}' cannot show {rate} frames per second, a {Name} shows at most {MaximumRate}. "
                + $"Write '{Path.ChangeExtension(path, ".mp4")}', or lower the rate.");
        }
    }

    /// <summary>Refuses a size that the format cannot hold.</summary>
    /// <exception cref="SoraException">It is too large.</exception>
    public void RequireSize(string path, int width, int height)
    {
        if (Math.Max(width, height) > MaximumSide)
        {
            throw new SoraException(
                $"'{path}' cannot be {width}x{height}: the sides of a {Name} are at most {MaximumSide} pixels.");
        }
    }
}
