using System.CommandLine;
using Sora.Conditioning;
using Sora.Continuation;
using Sora.Frames;

namespace Sora.Cli;

/// <summary><c>sora connect</c>: two videos with a generated passage between them.</summary>
internal static class ConnectCommand
{
    private const string Example = "sora connect sea.mp4 forest.mp4 \"the sea becomes a forest\"";

    private static readonly Argument<string?> First = new("first") { Description = "The first video or picture", Arity = ArgumentArity.ZeroOrOne };

    private static readonly Argument<string?> Second = new("second") { Description = "The second, cut to the first one's size", Arity = ArgumentArity.ZeroOrOne };

    public static Command Create()
    {
        var command = new Command("connect", "Connects two videos by a generated passage of --frames frames.") { First, Second, GenerateOptions.Prompt };
        GenerateOptions.AddTo(command, [GenerateOptions.OverlapFrames, GenerateOptions.Like]);
        command.SetAction((line, cancellationToken) =>
        {
            string first = line.GetValue(First) ?? throw new SoraException($"The videos are missing: {Example}.");
            string second = line.GetValue(Second) ?? throw new SoraException($"The second video is missing: {Example}.");
            GenerationRecord? like = LikeFile.Read(line, "connect", cancellationToken);
            return ContinuationRun.RunAsync(
                line,
                GenerateOptions.RequestOf(line, Example, like?.Request),
                (request, limits) =>
                {
                    VideoFrame[] before = GivenFrames.ReadAll(first, request, limits, cancellationToken);
                    VideoRequest sized = request with { Width = before[0].Width, Height = before[0].Height };
                    VideoFrame[] after = GivenFrames.ReadAll(second, sized, limits, cancellationToken);
                    int gap = line.GetValue(GenerateOptions.Frames) ?? like?.GapFrames ?? DefaultGap(limits);
                    var connection = new VideoConnection([.. before], [.. after], gap);
                    if (request.OverlapFrames is { } overlap)
                        connection = connection with { OverlapFrames = overlap };
                    return new(before.Length + gap + after.Length, connection.Check, connection.StreamAsync, connection.RecordOf);
                },
                cancellationToken,
                like);
        });
        return command;
    }

    /// <summary>The length of a passage that fills whole latent frames, about the model's own length.</summary>
    public static int DefaultGap(ModelLimits limits) =>
        Math.Max(limits.TemporalStride, limits.FrameCount - 1) - (limits.KnownFrames == KnownFrameRule.Any ? 0 : 1);
}
