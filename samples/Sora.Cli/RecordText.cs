using System.Globalization;
using System.Text.Json;
using Sora.Frames;

namespace Sora.Cli;

/// <summary>What <c>sora info</c> says of a video or a picture: its size, and the request that it carries.</summary>
internal static class RecordText
{
    private const string FirstFrame = "frame-0001.png";

    /// <exception cref="SoraException">The file cannot be read, or its record is damaged.</exception>
    public static int Write(string path, bool json, CancellationToken cancellationToken)
    {
        GenerationRecord? record = GenerationRecord.Read(path, cancellationToken);
        if (json)
        {
            Console.WriteLine(record?.ToJson() ?? "null");
            return ExitCode.Done;
        }
        Console.WriteLine($"{path}: {Describe(path, cancellationToken)}");
        if (record is null)
        {
            Console.WriteLine("It carries no request: it was not made by Sora, its format has no place for one (.webp, .jpg), or its tags were removed.");
            return ExitCode.Done;
        }
        using JsonDocument document = JsonDocument.Parse(record.ToJson());
        foreach (JsonProperty field in document.RootElement.EnumerateObject())
            Console.WriteLine($"  {field.Name.Replace('_', ' '),-24} {field.Value}");
        string given = record.GivenFrames is null ? "" : LikeFile.CommandOf(record) == "generate" ? ", with the same --first, --last and --known" : ", with what was given then";
        Console.WriteLine($"Again: {LikeFile.Again(record, path)}{given}");
        return ExitCode.Done;
    }

    private static string Describe(string path, CancellationToken cancellationToken)
    {
        if (Directory.Exists(path))
            return $"a folder of {Directory.EnumerateFiles(path, "frame-*.png").Count()} frames, {Size(VideoReader.Probe(Path.Combine(path, FirstFrame), cancellationToken))}";
        VideoInfo info = VideoReader.Probe(path, cancellationToken);
        string length = info.FrameCount is { } frames ? string.Create(CultureInfo.InvariantCulture, $", {frames} frames") : "";
        return info.IsImage ? $"a picture, {Size(info)}" : $"{Size(info)}{length} at {info.FrameRate} a second";
    }

    private static string Size(VideoInfo info) => string.Create(CultureInfo.InvariantCulture, $"{info.Width}x{info.Height}");
}
