using System.CommandLine;
using System.Globalization;
using Sora.Continuation;
using Sora.Frames;

namespace Sora.Cli;

/// <summary><c>sora extend</c>: a video made longer at its end, its beginning, or both.</summary>
internal static class ExtendCommand
{
    private const string Example = "sora extend fish.mp4 \"the fish swims on\" --seconds 2";
    private const double DefaultSeconds = 2;
    private const double MostSeconds = 86_400;

    private static readonly Argument<string?> Video = new("video")
    {
        Description = "The video or picture to extend; its frames come back unchanged",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private static readonly Option<double?> Seconds = Setting.Number<double>("--seconds", "S",
        $"Seconds to add in each direction [default: {DefaultSeconds}]");

    private static readonly Option<ExtensionDirection?> Direction = Setting.Of("--direction", "forward|backward|both",
        "Where they are added [default: forward]", ParseDirection);

    public static Command Create()
    {
        var command = new Command("extend", "Makes a video longer; --frames is the length of the windows that are generated.") { Video, GenerateOptions.Prompt };
        GenerateOptions.AddTo(command, [Seconds, Direction]);
        command.SetAction((line, cancellationToken) =>
        {
            string video = line.GetValue(Video) ?? throw new SoraException($"The video is missing: {Example}.");
            double seconds = line.GetValue(Seconds) ?? DefaultSeconds;
            if (!(seconds > 0 && seconds <= MostSeconds))
                throw new SoraException(string.Create(CultureInfo.InvariantCulture, $"--seconds {seconds} is out of range; allowed: more than 0, up to {MostSeconds}."));
            return ContinuationRun.RunAsync(
                line,
                GenerateOptions.RequestOf(line, Example),
                (request, limits) =>
                {
                    int added = Math.Max(1, (int)Math.Round(seconds * (request.FramesPerSecond ?? limits.FramesPerSecond)));
                    VideoFrame[] given = GivenFrames.ReadAll(video, request, limits, cancellationToken);
                    var extension = new VideoExtension([.. given], added) { Direction = line.GetValue(Direction) ?? ExtensionDirection.Forward };
                    int sides = extension.Direction == ExtensionDirection.Both ? 2 : 1;
                    return new(given.Length + (sides * added), extension.Check, extension.StreamAsync, extension.RecordOf);
                },
                cancellationToken);
        });
        return command;
    }

    private static ExtensionDirection ParseDirection(string text) => text.ToLowerInvariant() switch
    {
        "forward" => ExtensionDirection.Forward,
        "backward" => ExtensionDirection.Backward,
        "both" => ExtensionDirection.Both,
        _ => throw new SoraException($"--direction '{text}' is unknown; known: forward, backward, both."),
    };
}
