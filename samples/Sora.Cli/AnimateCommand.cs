using System.CommandLine;

namespace Sora.Cli;

/// <summary><c>sora animate</c>: a video that begins with a picture.</summary>
internal static class AnimateCommand
{
    private const string Example = "sora animate fish.png \"the fish swims left\"";

    private static readonly Argument<string?> Image = new("image")
    {
        Description = "The first frame: a picture's file, scaled and cut to the video's size",
        Arity = ArgumentArity.ZeroOrOne,
    };

    public static Command Create()
    {
        var command = new Command("animate", "Generates a video that begins with a picture.") { Image, GenerateOptions.Prompt };
        GenerateOptions.AddTo(command, [Duration.Seconds, .. GenerateOptions.Windows, GenerateOptions.Last, GenerateOptions.Known, GenerateOptions.Count, GenerateOptions.Like]);
        command.SetAction((line, cancellationToken) =>
        {
            string image = line.GetValue(Image) ?? throw new SoraException($"The picture is missing: {Example}.");
            GenerationRecord? like = LikeFile.Read(line, "generate", cancellationToken);
            return GenerationRun.RunAsync(
                line,
                GenerateOptions.RequestOf(line, Example, like?.Request),
                (request, limits) => GivenFrames.Add(
                    Duration.Apply(line, request, limits), image, line.GetValue(GenerateOptions.Last), line.GetValue(GenerateOptions.Known) ?? [], limits, cancellationToken),
                cancellationToken,
                like);
        });
        return command;
    }
}
