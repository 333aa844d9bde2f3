using System.CommandLine;

namespace Sora.Cli;

/// <summary><c>sora edit</c>: a video made anew from another, in part.</summary>
internal static class EditCommand
{
    private const string Example = "sora edit fish.mp4 \"a watercolour of a fish\"";

    private static readonly Argument<string?> Video = new("video")
    {
        Description = "The video to start from, scaled and cut to the new one's size and read at its rate",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private static readonly Option<double?> Strength = Setting.Number<double>("--strength", "S",
        "How much is made anew: 0 gives the video back, 1 makes another [default: 0.8]");

    public static Command Create()
    {
        var command = new Command("edit", "Generates a video from another one, by a prompt.") { Video, GenerateOptions.Prompt };
        GenerateOptions.AddTo(command, [Strength, GenerateOptions.Count]);
        command.SetAction((line, cancellationToken) =>
        {
            string video = line.GetValue(Video) ?? throw new SoraException($"The video is missing: {Example}.");
            return GenerationRun.RunAsync(
                line,
                GenerateOptions.RequestOf(line, Example) with { Strength = line.GetValue(Strength) },
                (request, limits) => GivenFrames.AddSource(request, video, limits, cancellationToken),
                cancellationToken);
        });
        return command;
    }
}
