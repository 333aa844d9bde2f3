using System.Globalization;

namespace Sora.Bench;

/// <summary>
/// Hundreds of generations of mixed sizes in one process, a third of them cancelled somewhere, some saved: memory stays flat,
/// and no tensor, thread or ffmpeg process is left. The model is the tests' tiny one, whose mistakes are those of any.
/// </summary>
internal static class ReliabilityBenchmark
{
    private static readonly Sampler[] s_samplers = [Sampler.Euler, Sampler.UniPC, Sampler.Heun];

    // Width and height in strides, and latent frames. The engine keeps what it prepares for a shape, so there are as many
    // shapes as come up before the measurement begins.
    private static readonly (int Width, int Height, int Frames)[] s_sizes = [(1, 1, 1), (2, 1, 3), (1, 3, 2), (2, 2, 2), (4, 2, 1), (3, 3, 3), (2, 4, 2), (4, 4, 4)];

    private readonly record struct State(double Memory, long Tensors, int Threads, int Children);

    public static IEnumerable<Measurement> Run(bool quick) => RunAsync(quick ? 10 : 100, quick ? 40 : 500).GetAwaiter().GetResult();

    private static async Task<IReadOnlyList<Measurement>> RunAsync(int settled, int count)
    {
        string folder = Directory.CreateTempSubdirectory("sora-bench").FullName;
        try
        {
            // One thread for each operator: a team of them belongs to the thread of the pool that computes, and goes with it.
            using VideoGenerator generator = await VideoGenerator.LoadAsync(Repository.TinyModel, new() { Device = "cpu", Threads = 1 });
            var random = new Random(1);
            int cancelled = 0;
            State early = default;
            for (int i = 1; i <= count; i++)
            {
                if (await GenerateAsync(generator, RequestOf(generator.Limits, random, i), folder, random, save: i % 7 == 0))
                    cancelled++;
                if (i == settled)
                    early = Now();
            }
            State last = Now();
            string note = $"{count} generations, {cancelled} of them cancelled, after the {settled}th";
            return
            [
                new($"memory after {count} generations of mixed sizes / after {settled}", last.Memory / early.Memory, "", Most: 1.02, Note: note),
                new("generations cancelled on the way", cancelled, "", Least: count / 10, Exact: true),
                new("living tensors more", last.Tensors - early.Tensors, "", Most: 0, Exact: true),
                new("threads more, besides the runtime's own", last.Threads - early.Threads, "", Most: 0, Exact: true),
                new("child processes left", last.Children, "", Most: 0, Exact: true),
                new("files left beside those that were saved", Directory.EnumerateFileSystemEntries(folder).Count(file => !file.EndsWith("saved.mp4", StringComparison.Ordinal)), "", Most: 0, Exact: true),
            ];
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static VideoRequest RequestOf(ModelLimits limits, Random random, int number) => new("a red fish swims left in the deep sea")
    {
        Width = limits.SpatialStride * s_sizes[number % s_sizes.Length].Width,
        Height = limits.SpatialStride * s_sizes[number % s_sizes.Length].Height,
        FrameCount = 1 + (limits.TemporalStride * (s_sizes[number % s_sizes.Length].Frames - 1)),
        Steps = random.Next(1, 4),
        GuidanceScale = random.Next(1, 4),
        Sampler = s_samplers[random.Next(s_samplers.Length)],
        StepCache = random.Next(2) * 0.2,
        Seed = number,
    };

    // Whether it was cancelled, which every third is told after so many reports, if it gets that far, or while it is saved.
    private static async Task<bool> GenerateAsync(VideoGenerator generator, VideoRequest request, string folder, Random random, bool save)
    {
        using var stop = new CancellationTokenSource();
        var progress = new Reports(random.Next(3) == 0 ? random.Next(1, 12) : int.MaxValue, stop);
        try
        {
            await using GeneratedVideo video = await generator.GenerateAsync(request, progress, stop.Token);
            if (!save)
                return false;
            if (random.Next(2) == 0)
                stop.CancelAfter(random.Next(1, 30));
            await video.SaveAsync(Path.Combine(folder, "saved.mp4"), stop.Token);
            return false;
        }
        catch (OperationCanceledException)
        {
            return true;
        }
    }

    private static State Now()
    {
        for (int i = 0; i < 2; i++)
        {
            GC.Collect(2, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            GC.WaitForPendingFinalizers();
        }
        Layers.EngineMemory.ReleaseUnused();
        return new(Environment.WorkingSet, Tensor.TotalCount, Threads(), Children());
    }

    // Of Linux; elsewhere nothing is counted. The runtime's own, those of its pool above all, come and go.
    private static int Threads() => !OperatingSystem.IsLinux() ? 0
        : Directory.EnumerateDirectories("/proc/self/task").Count(thread => !ReadOrEmpty(Path.Combine(thread, "comm")).StartsWith(".NET", StringComparison.Ordinal));

    private static int Children()
    {
        if (!OperatingSystem.IsLinux())
            return 0;
        string self = Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
        // proc(5): the parent is the second field after the name, which stands in parentheses.
        return Directory.EnumerateDirectories("/proc").Where(folder => char.IsAsciiDigit(Path.GetFileName(folder)[0]))
            .Count(folder => ReadOrEmpty(Path.Combine(folder, "stat")) is var stat && stat.LastIndexOf(')') is var end and >= 0
                && stat[(end + 2)..].Split(' ') is [_, { } parent, ..] && parent == self);
    }

    // A process or a thread may end while its folder is read.
    private static string ReadOrEmpty(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (IOException)
        {
            return "";
        }
    }

    /// <summary>Cancels at a report, on the thread that reports.</summary>
    private sealed class Reports(int last, CancellationTokenSource stop) : IProgress<GenerationProgress>
    {
        private int _count;

        public void Report(GenerationProgress value)
        {
            if (++_count == last)
                stop.Cancel();
        }
    }
}
