using System.CommandLine;

namespace Sora.Cli;

/// <summary><c>sora generate</c>: a video from a prompt, and from pictures that it shows at given places.</summary>
internal static class GenerateCommand
{
    private const string Example = "sora generate \"a red fish swims left\"";

    private static readonly Option<double?> Draft = Setting.Number<double>("--draft", "X",
        "Make the video at this share of its size first, 0.05 to 0.95, then refine it at full size [default: no draft]");

    private static readonly Option<double?> DraftStrength = Setting.Number<double>("--draft-strength", "S",
        "How much of the draft is made anew at full size, 0 to 1 [default: 0.5]");

    public static Command Create()
    {
        var command = new Command("generate", "Generates a video from a prompt.") { GenerateOptions.Prompt };
        GenerateOptions.AddTo(command, [.. GenerateOptions.KnownFrames, Draft, DraftStrength, GenerateOptions.Count, GenerateOptions.Like]);
        command.SetAction((line, cancellationToken) =>
        {
            GenerationRecord? like = line.GetValue(GenerateOptions.Like) is { } file ? ReadRecord(file, cancellationToken) : null;
            return GenerationRun.RunAsync(
                line,
                GenerateOptions.RequestOf(line, Example, like?.Request) with
                {
                    Draft = line.GetValue(Draft) ?? like?.Request.Draft,
                    DraftStrength = line.GetValue(DraftStrength) ?? like?.Request.DraftStrength,
                },
                (request, limits) => GivenFrames.Add(
                    request, line.GetValue(GenerateOptions.First), line.GetValue(GenerateOptions.Last), line.GetValue(GenerateOptions.Known) ?? [], limits, cancellationToken),
                cancellationToken,
                like);
        });
        return command;
    }

    private static GenerationRecord ReadRecord(string file, CancellationToken cancellationToken)
    {
        GenerationRecord record = GenerationRecord.Read(file, cancellationToken)
            ?? throw new SoraException($"'{file}' carries no request: it was not made by Sora, or its tags were removed.");
        string? maker = record.Capability ?? (record.Request.Strength is null ? null : "edit");
        return maker is null ? record : throw new SoraException(
            $"'{file}' was made from given videos by {maker.Split(' ')[0]}; repeat that command with the settings that `sora info` shows.");
    }
}
