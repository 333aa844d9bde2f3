using System.CommandLine;
using Sora.Continuation;
using Sora.Frames;

namespace Sora.Cli;

/// <summary><c>sora extend</c>: a video made longer at its end, its beginning, or both.</summary>
internal static class ExtendCommand
{
    private const string Example = "sora extend fish.mp4 \"the fish swims on\" --seconds 2";
    private const double DefaultSeconds = 2;

    private static readonly Argument<string?> Video = new("video")
    {
        Description = "The video or picture to extend; its frames come back unchanged",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private static readonly Option<double?> Seconds = Setting.Number<double>("--seconds", "S",
        $"Seconds to add in each direction [default: {DefaultSeconds}]");

    private static readonly Option<ExtensionDirection?> Direction = Setting.Of("--direction", string.Join('|', ExtensionDirectionNames.All),
        "Where they are added [default: forward]", ExtensionDirectionNames.Parse);

    public static Command Create()
    {
        var command = new Command("extend", "Makes a video longer; --frames is the length of the windows that are generated.") { Video, GenerateOptions.Prompt };
        GenerateOptions.AddTo(command, [Seconds, Direction, GenerateOptions.OverlapFrames, GenerateOptions.Like]);
        command.SetAction((line, cancellationToken) =>
        {
            string video = line.GetValue(Video) ?? throw new SoraException($"The video is missing: {Example}.");
            double seconds = Duration.Require(line.GetValue(Seconds) ?? DefaultSeconds);
            GenerationRecord? like = LikeFile.Read(line, "extend", cancellationToken);
            return ContinuationRun.RunAsync(
                line,
                GenerateOptions.RequestOf(line, Example, like?.Request),
                (request, limits) =>
                {
                    int? recorded = line.GetValue(Seconds) is null ? like?.AddedFrames : null;
                    int added = recorded ?? Math.Max(1, (int)Math.Round(seconds * (request.FramesPerSecond ?? limits.FramesPerSecond)));
                    VideoFrame[] given = GivenFrames.ReadAll(video, request, limits, cancellationToken);
                    var extension = new VideoExtension([.. given], added) { Direction = line.GetValue(Direction) ?? like?.Direction ?? ExtensionDirection.Forward };
                    if (request.OverlapFrames is { } overlap)
                        extension = extension with { OverlapFrames = overlap };
                    int sides = extension.Direction == ExtensionDirection.Both ? 2 : 1;
                    return new(given.Length + (sides * added), extension.Check, extension.StreamAsync, extension.RecordOf);
                },
                cancellationToken,
                like);
        });
        return command;
    }
}
