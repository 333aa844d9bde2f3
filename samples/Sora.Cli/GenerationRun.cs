using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Sora.Frames;

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
        VideoGeneratorOptions options = GenerateOptions.OptionsOf(line, like);
        string output = line.GetValue(GenerateOptions.Output) ?? GenerateOptions.DefaultOutput;
        int count = line.GetValue(GenerateOptions.Count) ?? 1;
        if (count is < 1 or > MostVideos)
            throw new SoraException($"--count {count} is out of range; allowed: 1 to {MostVideos}, nearest: {Math.Clamp(count, 1, MostVideos)}.");
        string model = line.GetValue(GenerateOptions.Model) ?? DefaultModel.Find();
        ModelLimits limits = VideoGenerator.ReadLimits(model);
        request = addFrames(request, limits).Resolve(limits);
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
                RequireSame(like, generator.RecordOf(request), otherModelAllowed: line.GetValue(GenerateOptions.Model) is not null);
            var done = new List<(string[], string)>();
            foreach ((VideoRequest one, string file) in videos)
            {
                await using GeneratedVideo generated = await generator.GenerateAsync(one, progress, cancellationToken);
                progress.Report(GenerationProgress.At(GenerationStage.Saving, 0, 0, TimeSpan.Zero));
                await generated.SaveAsync(file, cancellationToken);
                done.Add(([.. generated.Notes], Summary(generated, file, done.Count == 0 ? loading : null)));
            }
            return done.ToArray();
        });
        foreach ((string[] notes, string summary) in quiet ? [] : results)
        {
            foreach (string note in notes)
                Console.Error.WriteLine($"Note: {note}");
            Console.WriteLine(summary);
        }
        return ExitCode.Done;
    }

    private static int LengthOf(VideoRequest request) => request.FrameCount!.Value - (request.Loop ? 1 : 0);

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

    /// <exception cref="SoraException">The file cannot be repeated with this.</exception>
    private static void RequireSame(GenerationRecord file, GenerationRecord now, bool otherModelAllowed)
    {
        if (file.GivenFrames is not null && file.GivenFrames != now.GivenFrames)
        {
            throw new SoraException(now.GivenFrames is null
                ? "The file was made from pictures, which it does not carry; give them again with --first, --last and --known."
                : "The file was made from other pictures, or at other places; give those with --first, --last and --known.");
        }
        if (!otherModelAllowed && file.ModelFingerprint is not null && file.ModelFingerprint != now.ModelFingerprint)
        {
            throw new SoraException(
                $"The file was made with the model {file.Model} of hash {file.ModelFingerprint}, and this is {now.Model} of hash {now.ModelFingerprint}; name the model with --model, or another one for another video.");
        }
    }

    private static string Summary(GeneratedVideo video, string output, TimeSpan? loading)
    {
        StageTiming[] timings = [.. loading is { } first ? (StageTiming[])[new(GenerationStage.LoadingModel, first)] : [], .. video.Timings];
        TimeSpan total = timings.Aggregate(TimeSpan.Zero, (sum, timing) => sum + timing.Elapsed);
        IEnumerable<string> parts = timings.Select(timing =>
            $"{StageName.Of(timing.Stage).ToLowerInvariant()} {TimeText.Of(timing.Elapsed)}");
        string variation = video.Request.VariationSeed is { } seed
            ? string.Create(CultureInfo.InvariantCulture, $", varied towards {seed} by {video.Request.VariationStrength}") : "";
        return $"""
            {output}: {video.Request.Width}x{video.Request.Height}, {video.Frames.Count} frames at {video.FramesPerSecond} a second
            Seed {video.Seed}{variation}
            {TimeText.Of(total)}: {string.Join(", ", parts)}
            """;
    }
}
