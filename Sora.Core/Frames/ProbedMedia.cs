namespace Sora.Frames;

/// <summary>A video or image file as ffprobe describes it: what users ask for, and what decoding must know.</summary>
/// <param name="Path">The path as the user gave it.</param>
/// <param name="Info">What a viewer sees.</param>
/// <param name="UprightFilter">
/// The ffmpeg filter that undoes the recording's rotation or mirroring; null if there is none.
/// </param>
/// <param name="HasAlpha">Whether the pixel format has an alpha channel, or a palette that may have one.</param>
/// <param name="AssumesBt709">
/// Whether the file does not name its YUV matrix and is large enough for players to assume that of HD video.
/// </param>
internal sealed record ProbedMedia(string Path, VideoInfo Info, string? UprightFilter, bool HasAlpha, bool AssumesBt709)
{
    /// <summary>The options and the name that open a file as input, the same for ffprobe and ffmpeg.</summary>
    /// <remarks>
    /// The protocol's name in front keeps a colon from being taken for another protocol, and the full path keeps a dash
    /// from being taken for an option. A playlist may not lead to other protocols. Images whose names look like the
    /// pattern of a sequence are one image all the same.
    /// </remarks>
    public static IEnumerable<string> InputArguments(string path)
    {
        string full = System.IO.Path.GetFullPath(path);
        bool looksLikePattern = full.AsSpan().ContainsAny("%*?{");
        bool isImage = System.IO.Path.GetExtension(full).ToUpperInvariant()
            is ".PNG" or ".JPG" or ".JPEG" or ".WEBP" or ".BMP" or ".TIF" or ".TIFF" or ".TGA" or ".PPM";
        return
        [
            "-protocol_whitelist", "file",
            .. looksLikePattern && isImage ? new[] { "-f", "image2", "-pattern_type", "none" } : [],
            "-i", "file:" + full,
        ];
    }
}
