using System.Text.Json;

namespace Sora.Frames;

/// <summary>The comment that a video or picture carries.</summary>
internal static class MediaComment
{
    /// <summary>Reads it; null where there is none.</summary>
    /// <param name="path">A video, a picture, or a folder of frames.</param>
    /// <param name="cancellationToken">Stops ffprobe.</param>
    /// <exception cref="SoraException">There is no such file, or it is no video or picture.</exception>
    public static string? Read(string path, CancellationToken cancellationToken = default)
    {
        string file = Directory.Exists(path) ? Path.Combine(path, PartialFolder.FirstName) : path;
        if (!File.Exists(file))
            throw new SoraException(file == path ? $"'{path}' does not exist." : $"'{path}' is a folder without {PartialFolder.FirstName}.");
        return Path.GetExtension(file).ToLowerInvariant() switch
        {
            ".png" => PngComment.Read(file),
            ".gif" => GifComment.Read(file),
            _ => Probe(file, cancellationToken),
        };
    }

    private static string? Probe(string file, CancellationToken cancellationToken)
    {
        (FFmpegExit exit, string json) = FFmpegProcess.Run(
            FFmpegTools.FromEnvironment().FindFFprobe(),
            ["-hide_banner", "-loglevel", "error", "-print_format", "json", "-show_entries", "format_tags", .. ProbedMedia.InputArguments(file)],
            cancellationToken);
        if (exit.Code != 0)
            throw new SoraException($"'{file}' cannot be read as a video or image:\n{exit.LastLines}");
        using JsonDocument document = JsonDocument.Parse(json);
        // Matroska's tags are in capitals.
        return document.RootElement.TryGetProperty("format", out JsonElement format) && format.TryGetProperty("tags", out JsonElement tags)
            ? tags.EnumerateObject().FirstOrDefault(tag => tag.Name.Equals("comment", StringComparison.OrdinalIgnoreCase)).Value is { ValueKind: JsonValueKind.String } text
                ? text.GetString() : null
            : null;
    }
}
