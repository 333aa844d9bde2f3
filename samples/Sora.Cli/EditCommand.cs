using System.CommandLine;

namespace Sora.Cli;

/// <summary><c>sora edit</c>: a video made anew from another, in part: a share of the way, or a region.</summary>
internal static class EditCommand
{
    private const string Example = "sora edit fish.mp4 \"a watercolour of a fish\"";

    private static readonly Argument<string?> Video = new("video")
    {
        Description = "The video to start from, scaled and cut to the new one's size and read at its rate",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private static readonly Option<double?> Strength = Setting.Number<double>("--strength", "S",
        "How much is made anew: 0 gives the video back, 1 makes another [default: 0.8, with --mask 1]");

    private static readonly Option<string?> Mask = Setting.Text("--mask", "FILE",
        "Picture, or video with a frame for each, of the video's size: white is changed, black kept, grey in between [default: all is changed]");

    /// <summary>Of every command that changes a region.</summary>
    public static readonly Option<int?> Feather = Setting.Number<int>("--feather", "N",
        "Pixels inside the edge of what is changed that are drawn to the kept ones beside it, 0 to 128 [default: half of the model's stride]");

    public static Command Create()
    {
        var command = new Command("edit", "Generates a video from another one, by a prompt.") { Video, GenerateOptions.Prompt };
        GenerateOptions.AddTo(command, [Strength, Mask, Feather, GenerateOptions.Count, GenerateOptions.Like]);
        command.SetAction((line, cancellationToken) =>
        {
            string video = line.GetValue(Video) ?? throw new SoraException($"The video is missing: {Example}.");
            GenerationRecord? like = LikeFile.Read(line, "edit", cancellationToken);
            return GenerationRun.RunAsync(
                line,
                GenerateOptions.RequestOf(line, Example, like?.Request) with
                {
                    Strength = line.GetValue(Strength) ?? like?.Request.Strength,
                    Feather = line.GetValue(Feather) ?? like?.Request.Feather,
                },
                (request, limits) =>
                {
                    VideoRequest edit = GivenFrames.AddSource(request, video, limits, cancellationToken);
                    return line.GetValue(Mask) is { } mask ? GivenFrames.AddMask(edit, mask, video, limits, cancellationToken) : edit;
                },
                cancellationToken,
                like);
        });
        return command;
    }
}
