using System.CommandLine;
using Sora.Continuation;
using Sora.Frames;

namespace Sora.Cli;

/// <summary><c>sora loop</c>: a video that can be repeated for ever, from a prompt or from a video.</summary>
internal static class LoopCommand
{
    private const string Example = "sora loop \"a red fish swims in circles\", or sora loop fish.mp4 \"the fish swims back\"";

    private static readonly Argument<string?> Subject = new("prompt or video")
    {
        Description = "What the loop shows, in quotes; or the video to close",
        Arity = ArgumentArity.ZeroOrOne,
    };

    public static Command Create()
    {
        var command = new Command("loop", "Generates an endless loop, or closes a video to one by a passage of --frames frames.") { Subject, GenerateOptions.Prompt };
        GenerateOptions.AddTo(command, [GenerateOptions.Like]);
        command.SetAction((line, cancellationToken) =>
        {
            string subject = line.GetValue(Subject) ?? throw new SoraException($"The prompt or the video is missing: {Example}.");
            return File.Exists(subject) || GenerationRecord.IsMedia(subject) || line.GetValue(GenerateOptions.Prompt) is not null || line.GetValue(GenerateOptions.Like) is not null
                ? CloseAsync(line, subject, cancellationToken)
                : GenerationRun.RunAsync(
                    line, GenerateOptions.RequestOf(line, Example, new VideoRequest(subject) { Loop = true }), (request, _) => request, cancellationToken);
        });
        return command;
    }

    private static Task<int> CloseAsync(ParseResult line, string video, CancellationToken cancellationToken)
    {
        GenerationRecord? like = LikeFile.Read(line, "loop", cancellationToken);
        // A video of Sora knows its prompt.
        VideoRequest? own = like is not null ? like.Request : line.GetValue(GenerateOptions.Prompt) is null && GenerationRecord.Read(video, cancellationToken) is { } record
            ? new VideoRequest(record.Request.Prompt) : null;
        return ContinuationRun.RunAsync(
            line,
            GenerateOptions.RequestOf(line, Example, own),
            (request, limits) =>
            {
                VideoFrame[] given = GivenFrames.ReadAll(video, request, limits, cancellationToken);
                int gap = line.GetValue(GenerateOptions.Frames) ?? like?.GapFrames ?? ConnectCommand.DefaultGap(limits);
                var loop = new VideoLoop([.. given], gap);
                return new(given.Length + gap, loop.Check, loop.StreamAsync, loop.RecordOf);
            },
            cancellationToken,
            like);
    }
}
