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
        GenerateOptions.AddTo(command, [Duration.Seconds, .. GenerateOptions.Windows, .. GenerateOptions.KnownFrames, Draft, DraftStrength, GenerateOptions.Count, GenerateOptions.Like]);
        command.SetAction((line, cancellationToken) =>
        {
            GenerationRecord? like = LikeFile.Read(line, "generate", cancellationToken);
            return GenerationRun.RunAsync(
                line,
                GenerateOptions.RequestOf(line, Example, like?.Request) with
                {
                    Draft = line.GetValue(Draft) ?? like?.Request.Draft,
                    DraftStrength = line.GetValue(DraftStrength) ?? like?.Request.DraftStrength,
                },
                (request, limits) => GivenFrames.Add(
                    Duration.Apply(line, request, limits), line.GetValue(GenerateOptions.First), line.GetValue(GenerateOptions.Last), line.GetValue(GenerateOptions.Known) ?? [], limits, cancellationToken),
                cancellationToken,
                like);
        });
        return command;
    }
}
