using System.CommandLine;
using System.Globalization;
using Sora.Frames;

namespace Sora.Cli;

/// <summary>Writes what is made from given videos, frame by frame: what extend, connect and loop have in common.</summary>
internal static class ContinuationRun
{
    /// <summary>What is to be made.</summary>
    /// <param name="FrameCount">How many frames it has.</param>
    /// <param name="Check">Fills the request, or refuses it.</param>
    /// <param name="Stream">Makes the frames.</param>
    /// <param name="RecordOf">What the file carries.</param>
    public sealed record Plan(
        int FrameCount,
        Func<VideoRequest, ModelLimits, VideoRequest> Check,
        Func<VideoGenerator, VideoRequest, IProgress<GenerationProgress>?, CancellationToken, IAsyncEnumerable<VideoFrame>> Stream,
        Func<VideoGenerator, VideoRequest, GenerationRecord> RecordOf);

    /// <param name="line">The command line.</param>
    /// <param name="request">What it asks for in words and numbers.</param>
    /// <param name="planOf">Reads the files that it names.</param>
    /// <param name="cancellationToken">Stops within one step.</param>
    /// <param name="like">The record of the file that is repeated.</param>
    /// <exception cref="SoraException">What is asked for cannot be made.</exception>
    public static async Task<int> RunAsync(
        ParseResult line, VideoRequest request, Func<VideoRequest, ModelLimits, Plan> planOf, CancellationToken cancellationToken, GenerationRecord? like = null)
    {
        // What can be refused is refused before the model is loaded.
        VideoGeneratorOptions options = GenerateOptions.OptionsOf(line, request, like);
        string output = line.GetValue(GenerateOptions.Output) ?? GenerateOptions.DefaultOutput;
        string model = line.GetValue(GenerateOptions.Model) ?? DefaultModel.Find();
        ModelLimits limits = VideoGenerator.ReadLimits(model, options.FewSteps);
        // One seed for all windows, which the summary tells.
        request = PromptRewriting.Apply(line, request with { Seed = request.Seed ?? Random.Shared.Next(1_000_000_000) }, limits, model);
        Plan plan = planOf(request, limits);
        VideoRequest filled = plan.Check(request, limits);
        VideoWriter.CheckOutput(output, plan.FrameCount, filled.FramesPerSecond!.Value);
        bool quiet = line.GetValue(GenerateOptions.Quiet);

        NoteLog? notes = null;
        int written = await ProgressDisplay.RunAsync(quiet, async display =>
        {
            var progress = notes = new NoteLog(display);
            using VideoGenerator generator = await VideoGenerator.LoadAsync(model, options, progress, cancellationToken);
            GenerationRecord record = plan.RecordOf(generator, request);
            LikeFile.RequireSame(like, record, line);
            var tags = new VideoWriterOptions { Metadata = record.Tags() };
            using var writer = new VideoWriter(output, filled.Width!.Value, filled.Height!.Value, filled.FramesPerSecond.Value, tags);
            await foreach (VideoFrame frame in plan.Stream(generator, request, progress, cancellationToken))
                writer.Write(frame, cancellationToken);
            await writer.CompleteAsync(cancellationToken);
            return writer.FrameCount;
        });
        if (!quiet)
        {
            if (GenerateOptions.FewStepsNote(line, options, model) is { } settings)
                Console.Error.WriteLine($"Note: {settings}");
            foreach (string note in notes!.Notes)
                Console.Error.WriteLine($"Note: {note}");
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"""
                {output}: {filled.Width}x{filled.Height}, {written} frames at {filled.FramesPerSecond} a second
                Seed {filled.Seed}
                """));
        }
        return ExitCode.Done;
    }
}
