using System.CommandLine;
using Sora.Regions;

namespace Sora.Cli;

/// <summary><c>sora outpaint</c>: a video or a picture on a larger canvas.</summary>
internal static class OutpaintCommand
{
    private const string Example = "sora outpaint fish.mp4 \"a fish in the deep sea\" --size 96x64";

    private static readonly Argument<string?> Video = new("video")
    {
        Description = "The video or picture, in its own size; its pixels come back unchanged",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private static readonly Option<CanvasPosition?> Position = Setting.Of("--position", string.Join('|', CanvasPositionNames.All),
        "Where it lies on the canvas [default: center]", CanvasPositionNames.Parse);

    public static Command Create()
    {
        var command = new Command("outpaint", "Puts a video or a picture on a larger canvas of --size and generates what lies around it.") { Video, GenerateOptions.Prompt };
        GenerateOptions.AddTo(command, [Position, EditCommand.Feather, GenerateOptions.Like]);
        command.SetAction((line, cancellationToken) =>
        {
            string video = line.GetValue(Video) ?? throw new SoraException($"The video is missing: {Example}.");
            GenerationRecord? like = LikeFile.Read(line, "outpaint", cancellationToken);
            return ContinuationRun.RunAsync(
                line,
                GenerateOptions.RequestOf(line, Example, like?.Request) with { Feather = line.GetValue(EditCommand.Feather) ?? like?.Request.Feather },
                (request, limits) =>
                {
                    if (request.Width is not { } width || request.Height is not { } height)
                        throw new SoraException($"The canvas's size is missing: {Example}.");
                    var outpainting = new VideoOutpainting([.. GivenFrames.ReadClip(video, request, limits, cancellationToken)], width, height)
                    {
                        // The record ends with the position's name.
                        Position = line.GetValue(Position) ?? (like?.Capability is { } made ? CanvasPositionNames.Parse(made.Split(' ')[^1]) : CanvasPosition.Center),
                    };
                    return new(outpainting.Video.Count, outpainting.Check, outpainting.StreamAsync, outpainting.RecordOf);
                },
                cancellationToken,
                like);
        });
        return command;
    }
}
