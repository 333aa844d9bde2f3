using System.CommandLine;
using System.Diagnostics;
using Sora.Frames;

namespace Sora.Cli;

/// <summary>Makes a video for a command line and writes it to a file: what the commands that generate have in common.</summary>
internal static class GenerationRun
{
    /// <param name="line">The command line.</param>
    /// <param name="request">What it asks for in words and numbers.</param>
    /// <param name="addFrames">Reads the files that it names.</param>
    /// <param name="cancellationToken">Stops within one step.</param>
    /// <exception cref="SoraException">What is asked for cannot be made.</exception>
    public static async Task<int> RunAsync(
        ParseResult line, VideoRequest request, Func<VideoRequest, ModelLimits, VideoRequest> addFrames, CancellationToken cancellationToken)
    {
        // What can be refused is refused before the model is loaded.
        VideoGeneratorOptions options = GenerateOptions.OptionsOf(line);
        string output = line.GetValue(GenerateOptions.Output) ?? GenerateOptions.DefaultOutput;
        string model = line.GetValue(GenerateOptions.Model) ?? DefaultModel.Find();
        ModelLimits limits = VideoGenerator.ReadLimits(model);
        request = addFrames(request, limits).Resolve(limits);
        VideoWriter.CheckOutput(output, request.FrameCount, request.FramesPerSecond!.Value);
        bool quiet = line.GetValue(GenerateOptions.Quiet);
        if (line.GetValue(CommandRunner.Verbose))
            Console.Error.WriteLine($"Model {Path.GetFullPath(model)}\n{options}\n{request}");

        TimeSpan loading = default;
        await using GeneratedVideo video = await ProgressDisplay.RunAsync(quiet, async progress =>
        {
            long start = Stopwatch.GetTimestamp();
            using VideoGenerator generator = await VideoGenerator.LoadAsync(model, options, progress, cancellationToken);
            loading = Stopwatch.GetElapsedTime(start);
            GeneratedVideo generated = await generator.GenerateAsync(request, progress, cancellationToken);
            progress.Report(GenerationProgress.At(GenerationStage.Saving, 0, 0, TimeSpan.Zero));
            await generated.SaveAsync(output, cancellationToken);
            return generated;
        });
        if (!quiet)
            Summarise(video, output, loading);
        return ExitCode.Done;
    }

    private static void Summarise(GeneratedVideo video, string output, TimeSpan loading)
    {
        foreach (string note in video.Notes)
            Console.Error.WriteLine($"Note: {note}");

        StageTiming[] timings = [new(GenerationStage.LoadingModel, loading), .. video.Timings];
        TimeSpan total = timings.Aggregate(TimeSpan.Zero, (sum, timing) => sum + timing.Elapsed);
        IEnumerable<string> parts = timings.Select(timing =>
            $"{StageName.Of(timing.Stage).ToLowerInvariant()} {TimeText.Of(timing.Elapsed)}");
        Console.WriteLine($"""
            {output}: {video.Request.Width}x{video.Request.Height}, {video.Frames.Count} frames at {video.FramesPerSecond} a second
            Seed {video.Seed}
            {TimeText.Of(total)}: {string.Join(", ", parts)}
            """);
    }
}
