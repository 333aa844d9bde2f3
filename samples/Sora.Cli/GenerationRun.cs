using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Sora.Frames;
using Sora.Sampling;

namespace Sora.Cli;

/// <summary>Makes videos for a command line and writes them to files: what the commands that generate have in common.</summary>
internal static class GenerationRun
{
    private const int MostVideos = 1000;

    /// <param name="line">The command line.</param>
    /// <param name="request">What it asks for in words and numbers.</param>
    /// <param name="addFrames">Reads the files that it names.</param>
    /// <param name="cancellationToken">Stops within one step.</param>
    /// <param name="like">The record of the file that is repeated.</param>
    /// <exception cref="SoraException">What is asked for cannot be made.</exception>
    public static async Task<int> RunAsync(
        ParseResult line, VideoRequest request, Func<VideoRequest, ModelLimits, VideoRequest> addFrames, CancellationToken cancellationToken,
        GenerationRecord? like = null)
    {
        // What can be refused is refused before the model is loaded.
        VideoGeneratorOptions options = GenerateOptions.OptionsOf(line, request, like);
        string output = line.GetValue(GenerateOptions.Output) ?? GenerateOptions.DefaultOutput;
        int count = line.GetValue(GenerateOptions.Count) ?? 1;
        if (count is < 1 or > MostVideos)
            throw new SoraException($"--count {count} is out of range; allowed: 1 to {MostVideos}, nearest: {Math.Clamp(count, 1, MostVideos)}.");
        string model = line.GetValue(GenerateOptions.Model) ?? DefaultModel.Find();
        ModelLimits limits = VideoGenerator.ReadLimits(model, options.FewSteps);
        request = addFrames(PromptRewriting.Apply(line, request, limits, model), limits).Resolve(limits);
        (VideoRequest Request, string Output)[] videos = [.. Enumerable.Range(0, count).Select(i => (Numbered(request, i), count == 1 ? output : NameOf(output, i + 1)))];
        foreach ((_, string file) in videos)
            VideoWriter.CheckOutput(file, LengthOf(request), request.FramesPerSecond!.Value);
        bool quiet = line.GetValue(GenerateOptions.Quiet);
        if (line.GetValue(CommandRunner.Verbose))
            Console.Error.WriteLine($"Model {Path.GetFullPath(model)}\n{options}\n{request}");

        if (line.GetValue(GenerateOptions.Estimate))
        {
            using VideoGenerator generator = await VideoGenerator.LoadAsync(model, options, null, cancellationToken);
            EstimateText.Write(generator.Estimate(request));
            return ExitCode.Done;
        }

        (string[] Notes, string Summary)[] results = await ProgressDisplay.RunAsync(quiet, async progress =>
        {
            long start = Stopwatch.GetTimestamp();
            using VideoGenerator generator = await VideoGenerator.LoadAsync(model, options, progress, cancellationToken);
            TimeSpan loading = Stopwatch.GetElapsedTime(start);
            if (like is not null)
                LikeFile.RequireSame(like, generator.RecordOf(request), line);
            var done = new List<(string[], string)>();
            foreach (IReadOnlyList<VideoRequest> batch in generator.Batches([.. videos.Select(video => video.Request)]))
            {
                if (batch is [{ IsInWindows: true } one])
                {
                    var notes = new NoteCollector(progress);
                    string written = await WriteAsync(generator, one, videos[done.Count].Output, notes, cancellationToken);
                    done.Add((notes.Notes, written));
                    continue;
                }
                // The encoder of a video that is alone starts while the video is made.
                GenerationRecord? record = batch is [var alone] ? generator.RecordOf(alone) : null;
                using VideoWriter? writer = record is null ? null : WriterOf(record, batch[0], videos[done.Count].Output);
                IReadOnlyList<GeneratedVideo> generated = await generator.GenerateAsync(batch, progress, cancellationToken);
                progress.Report(GenerationProgress.At(GenerationStage.Saving, 0, 0, TimeSpan.Zero));
                for (int i = 0; i < generated.Count; i++)
                {
                    await using GeneratedVideo video = generated[i];
                    // Requests of one command line run in their order.
                    string file = videos[done.Count].Output;
                    // The tags of a file that was begun are those foreseen: tiles follow from the memory that there was.
                    await (writer is not null && record!.VaeTileSize == video.Record.VaeTileSize
                        ? video.SaveAsync(writer, cancellationToken)
                        : video.SaveAsync(file, cancellationToken));
                    done.Add(([.. video.Notes], Summary(video, file, done.Count == 0 ? loading : null, generated.Count)));
                }
            }
            return done.ToArray();
        });
        if (!quiet && GenerateOptions.FewStepsNote(line, options, model) is { } settings)
            Console.Error.WriteLine($"Note: {settings}");
        foreach ((string[] notes, string summary) in quiet ? [] : results)
        {
            foreach (string note in notes)
                Console.Error.WriteLine($"Note: {note}");
            Console.WriteLine(summary);
        }
        return ExitCode.Done;
    }

    private static int LengthOf(VideoRequest request) => VideoTimes.Of(request).Frames(request.FrameCount!.Value);

    // Variations of one video differ in the second seed, other videos in the first.
    private static VideoRequest Numbered(VideoRequest request, int i)
    {
        if (i == 0)
            return request;
        return request.VariationSeed is { } variation
            ? request with { VariationSeed = Next(variation, i) }
            : request with { Seed = Next(request.Seed!.Value, i) };
    }

    private static long Next(long seed, int i) => seed <= long.MaxValue - i ? seed + i
        : throw new SoraException($"Seed {seed} has no {i} seeds after it; nearest: {long.MaxValue - i}.");

    private static string NameOf(string output, int number)
    {
        string path = Path.TrimEndingDirectorySeparator(output), extension = Path.GetExtension(path);
        return string.Create(CultureInfo.InvariantCulture, $"{path[..^extension.Length]}-{number}{extension}");
    }

    // A long video goes into its file as it is decoded; it never lies in memory as a whole.
    private static async Task<string> WriteAsync(
        VideoGenerator generator, VideoRequest request, string file, IProgress<GenerationProgress> progress, CancellationToken cancellationToken)
    {
        long start = Stopwatch.GetTimestamp();
        using VideoWriter writer = WriterOf(generator.RecordOf(request), request, file);
        await foreach (VideoFrame frame in generator.StreamAsync(request, progress, cancellationToken))
            writer.Write(frame, cancellationToken);
        await writer.CompleteAsync(cancellationToken);
        return string.Create(CultureInfo.InvariantCulture, $"""
            {file}: {request.Width}x{request.Height}, {writer.FrameCount} frames at {request.FramesPerSecond} a second, in windows of up to {request.WindowFrames}
            Seed {request.Seed}{Variation(request)}
            {TimeText.Of(Stopwatch.GetElapsedTime(start))} besides loading the model
            """);
    }

    private static VideoWriter WriterOf(GenerationRecord record, VideoRequest request, string file) =>
        new(file, request.Width!.Value, request.Height!.Value, request.FramesPerSecond!.Value, new() { Metadata = record.Tags() });

    private static string Summary(GeneratedVideo video, string output, TimeSpan? loading, int together)
    {
        StageTiming[] timings = [.. loading is { } first ? (StageTiming[])[new(GenerationStage.LoadingModel, first)] : [], .. video.Timings];
        TimeSpan total = timings.Aggregate(TimeSpan.Zero, (sum, timing) => sum + timing.Elapsed);
        // The parts of a large model are loaded one by one, each before its stage.
        IEnumerable<string> parts = timings.GroupBy(timing => timing.Stage).Select(stage =>
            $"{StageName.Of(stage.Key).ToLowerInvariant()} {TimeText.Of(stage.Aggregate(TimeSpan.Zero, (sum, timing) => sum + timing.Elapsed))}");
        return $"""
            {output}: {video.Request.Width}x{video.Request.Height}, {video.Frames.Count} frames at {video.FramesPerSecond} a second
            Seed {video.Seed}{Variation(video.Request)}
            {TimeText.Of(total)}{(together == 1 ? "" : $" for {together} videos together")}: {string.Join(", ", parts)}
            """;
    }

    private static string Variation(VideoRequest request) => request.VariationSeed is { } seed
        ? string.Create(CultureInfo.InvariantCulture, $", varied towards {seed} by {request.VariationStrength}") : "";
}
