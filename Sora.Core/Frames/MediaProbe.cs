using System.Globalization;
using System.Text.Json;

namespace Sora.Frames;

/// <summary>Asks ffprobe what a file holds.</summary>
internal static class MediaProbe
{
    /// <summary>Opens a file and decodes its first frame, without keeping it. A file that has not changed since is not opened again.</summary>
    /// <exception cref="SoraException">
    /// No such file, no video in it, damaged, of an unknown kind, or no ffprobe on this machine.
    /// </exception>
    /// <exception cref="FFmpegException">ffprobe was killed.</exception>
    public static ProbedMedia Probe(string path, FFmpegTools tools, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(path);
        RequireFile(path);
        string ffprobe = tools.FindFFprobe();
        return ProbedFiles.Get(path, ffprobe, () => Ask(path, ffprobe, cancellationToken));
    }

    private static ProbedMedia Ask(string path, string ffprobe, CancellationToken cancellationToken)
    {
        // V: video streams that are not the cover picture of an audio file. One packet is enough for the first frame,
        // which alone knows the orientation that a camera wrote into a jpg.
        (FFmpegExit exit, string json) = FFmpegProcess.Run(
            ffprobe,
            ["-hide_banner", "-loglevel", "error", "-print_format", "json", "-show_format", "-show_streams",
             "-show_frames", "-select_streams", "V:0", "-read_intervals", "%+#1", .. ProbedMedia.InputArguments(path)],
            cancellationToken);
        if (exit.WasKilled)
        {
            throw new FFmpegException(exit.Describe($"reading '{path}'"));
        }

        if (exit.Code != 0)
        {
            throw new SoraException($"'{path}' cannot be read as a video or image:\n{exit.LastLines}");
        }

        using JsonDocument document = JsonDocument.Parse(json);
        JsonElement root = document.RootElement;
        if (First(root, "streams") is not JsonElement stream)
        {
            throw new SoraException($"'{path}' has no video, only sound or data.");
        }

        if (First(root, "frames") is not JsonElement frame || Whole(frame, "width") is not > 0)
        {
            string reason = Text(stream, "codec_name") == "webp"
                ? "is an animated or damaged WebP, which this ffmpeg cannot decode; convert it to .mp4, .webm or .gif."
                : $"is damaged, its first frame cannot be decoded:\n{exit.LastLines}";
            throw new SoraException($"'{path}' {reason}");
        }

        return Describe(path, stream, frame, root.GetProperty("format"));
    }

    private static void RequireFile(string path)
    {
        if (Directory.Exists(path))
        {
            throw new SoraException($"'{path}' is a folder; name one video or image file.");
        }

        if (!File.Exists(path))
        {
            throw new SoraException($"'{path}' does not exist.");
        }

        if (new FileInfo(path).Length == 0)
        {
            throw new SoraException($"'{path}' is empty.");
        }
    }

    private static ProbedMedia Describe(string path, JsonElement stream, JsonElement frame, JsonElement format)
    {
        string container = Text(format, "format_name") ?? "";
        bool isImage = container == "image2" || container.EndsWith("_pipe", StringComparison.Ordinal);
        int? frameCount = isImage ? 1 : Whole(stream, "nb_frames");
        TimeSpan? duration = isImage ? null : Seconds(stream, "duration") ?? Seconds(format, "duration");

        int width = (int)Math.Max(1, Math.Round(Whole(frame, "width")!.Value * PixelAspect(stream)));
        int height = Whole(frame, "height")!.Value;
        Orientation orientation = Orientation.Of(frame, stream);
        if (orientation.SwapsSides)
        {
            (width, height) = (height, width);
        }

        string pixels = Text(frame, "pix_fmt") ?? "";
        bool hasAlpha = pixels.StartsWith("yuva", StringComparison.Ordinal)
            || pixels.StartsWith("gbrap", StringComparison.Ordinal)
            || pixels.StartsWith("ya", StringComparison.Ordinal)
            || pixels is "pal8" || pixels.Contains("rgba", StringComparison.Ordinal)
            || pixels.Contains("bgra", StringComparison.Ordinal) || pixels is "argb" or "abgr";

        // What players do, since ffmpeg would take BT.601 for every size.
        bool assumesBt709 = !isImage && Text(stream, "color_space") is null or "unknown"
            && pixels.StartsWith("yuv", StringComparison.Ordinal) && (width >= 1280 || height > 576);
        return new ProbedMedia(
            path,
            new VideoInfo(width, height, Rate(stream), duration, frameCount is > 0 ? frameCount : null, isImage),
            orientation.Filter,
            hasAlpha,
            assumesBt709);
    }

    /// <summary>
    /// The nominal rate where it agrees with the average one, which is inexact in formats that round each frame's time
    /// (.gif); the average where it does not (telecine, variable rate).
    /// </summary>
    private static FrameRate Rate(JsonElement stream)
    {
        bool hasAverage = FrameRate.TryParse(Text(stream, "avg_frame_rate"), out FrameRate average);
        bool hasNominal = FrameRate.TryParse(Text(stream, "r_frame_rate"), out FrameRate nominal);
        if (hasNominal && (!hasAverage || Math.Abs(nominal.Value - average.Value) < 0.03 * average.Value))
        {
            return nominal;
        }

        return hasAverage ? average : 25;
    }

    /// <summary>Width of a pixel over its height.</summary>
    private static double PixelAspect(JsonElement stream)
    {
        string[] parts = (Text(stream, "sample_aspect_ratio") ?? "").Split(':');
        return parts.Length == 2
            && double.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out double across)
            && double.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out double down)
            && across > 0 && down > 0
            ? across / down
            : 1;
    }

    private static JsonElement? First(JsonElement parent, string name) =>
        parent.TryGetProperty(name, out JsonElement list) && list.GetArrayLength() > 0 ? list[0] : null;

    private static string? Text(JsonElement parent, string name) =>
        parent.TryGetProperty(name, out JsonElement value) ? value.ToString() : null;

    private static int? Whole(JsonElement parent, string name) =>
        int.TryParse(Text(parent, name), NumberStyles.None, CultureInfo.InvariantCulture, out int value) ? value : null;

    private static TimeSpan? Seconds(JsonElement parent, string name) =>
        double.TryParse(Text(parent, name), NumberStyles.Float, CultureInfo.InvariantCulture, out double seconds)
            && seconds is > 0 and < 1e9
            ? TimeSpan.FromSeconds(seconds)
            : null;
}
