using Sora.Weights;

namespace Sora.Bench;

/// <summary>
/// What an estimate says a stage computes in memory, beside what the process's resident memory grows by: the pocket model and
/// a model of a published kind in the middle between it and the smallest published one.
/// </summary>
internal static class EstimateBenchmark
{
    /// <summary>What <see cref="ChildProcess"/> measures: the pocket model's stages.</summary>
    public const string Child = "estimate";

    private const int Repeats = 5;

    private static readonly (int Width, int Height, int Frames)[] Sizes = [(64, 64, 17), (128, 128, 17), (256, 256, 9)];

    public static IEnumerable<Measurement> Run(bool quick)
    {
        if (!OperatingSystem.IsLinux())
            return [Measurement.Missing("estimated / measured memory", "", "there is no VmHWM but on Linux")];
        if (quick)
            return Run([("tiny", Repository.TinyModel)], Sizes[..1]);
        string folder = Directory.CreateTempSubdirectory("sora-estimate-").FullName;
        try
        {
            string middle = Path.Combine(folder, "middle"), first = Path.Combine(folder, "first");
            RandomCheckpoint.Write(Middle(PublishedModel.Find("wan2.2-ti2v-5b")), middle, WeightPrecision.BF16);
            RandomCheckpoint.Write(Middle(PublishedModel.Find("wan2.1-t2v-1.3b")), first, WeightPrecision.BF16);
            return Run([("pocket", Repository.PocketModel), ("middle of 2.2's kind", middle), ("middle of 2.1's kind", first)], Sizes);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static Measurement[] Run((string Name, string? Path)[] models, (int Width, int Height, int Frames)[] sizes) =>
    [
        .. from model in models
           where model.Path is not null
           from precision in (Precision[])[Precision.BFloat16, Precision.Full]
           from row in RunAsync(model.Name, model.Path, precision, sizes).GetAwaiter().GetResult()
           select row,
    ];

    private static async Task<IReadOnlyList<Measurement>> RunAsync(string name, string path, Precision precision, IEnumerable<(int Width, int Height, int Frames)> sizes)
    {
        var rows = new List<Measurement>();
        using VideoGenerator generator = await VideoGenerator.LoadAsync(path, new() { Device = "cpu", Precision = precision, KeepComponents = true });
        foreach ((int width, int height, int frames) in sizes)
        {
            var request = new VideoRequest("a red fish swims left in the deep sea") { Width = width, Height = height, FrameCount = frames, Steps = 1, Seed = 1, GuidanceScale = 4 };
            foreach ((StageMemory stage, long measured) in await MeasureAsync(generator, request, 1))
            {
                Console.Error.WriteLine($"  {name}, {precision}, {width}x{height}x{frames}, {stage.Stage}: {stage.Activations / 1e6:0.0} MB estimated, {measured / 1e6:0.0} MB measured");
                string row = $"{name}, {(precision == Precision.Full ? "float32" : "bfloat16")}, {width}x{height}x{frames}, {stage.Stage}: estimated / measured";
                rows.Add(measured > 0
                    ? new(row, (double)stage.Activations / measured, "", Least: 1, Most: 1.5, Note: $"{stage.Activations / 1e6:0.0} MB / {measured / 1e6:0.0} MB")
                    : Measurement.Missing(row, "", $"{stage.Activations / 1e6:0.0} MB are estimated, and all that was taken lay in memory that the process had"));
            }
        }
        return rows;
    }

    /// <summary>
    /// Of each stage of a video by the pocket model in many steps its place in <see cref="GenerationStage"/>, the bytes estimated and those taken, the second
    /// fewest of <see cref="Repeats"/> videos: what is computed is the same in each, chance adds up to 30 MB on a busy machine, and seldom takes some away.
    /// Of a process that has done nothing else: in one that has, what was freed stays in the allocator's heap in pieces, up to 26 MB.
    /// </summary>
    public static IEnumerable<double> RunChild(string precision)
    {
        string folder = Repository.PocketModel ?? throw new InvalidOperationException("there is no models/pocket above this program");
        using VideoGenerator generator = VideoGenerator.LoadAsync(folder, new() { Device = "cpu", Precision = Enum.Parse<Precision>(precision), KeepComponents = true, FewSteps = false }).GetAwaiter().GetResult();
        var request = new VideoRequest("a red fish swims left in the deep sea") { Width = 192, Height = 192, FrameCount = 9, Steps = 1, Seed = 1 };
        return [.. MeasureAsync(generator, request, Repeats).GetAwaiter().GetResult().GroupBy(row => row.Stage.Stage)
            .SelectMany(stage => (double[])[(int)stage.Key, stage.First().Stage.Activations, stage.Select(row => row.Measured).Order().ElementAt(1)])];
    }

    private static async Task<IReadOnlyList<(StageMemory Stage, long Measured)>> MeasureAsync(VideoGenerator generator, VideoRequest request, int videos)
    {
        // The first prepares what stays: the pages of the weights, the kernels' order of them, compiled code.
        using (await generator.GenerateAsync(request))
        {
        }
        IReadOnlyList<StageMemory> estimated = generator.Estimate(request).Memory;
        var rows = new List<(StageMemory, long)>();
        for (int i = 0; i < videos; i++)
        {
            var peaks = new StagePeaks();
            using GeneratedVideo video = await generator.GenerateAsync(request, peaks);
            IReadOnlyDictionary<GenerationStage, long> taken = peaks.End();
            rows.AddRange(estimated.Select(stage => (stage, taken[stage.Stage])));
        }
        return rows;
    }

    // The kind of a published model at a size that takes seconds.
    private static PublishedModel Middle(PublishedModel published) => published with
    {
        Transformer = published.Transformer with { NumAttentionHeads = 6, FfnDim = 3072, NumLayers = 3, TextDim = 1024 },
        TextEncoder = published.TextEncoder with { DModel = 1024, DFf = 2560, NumHeads = 16, NumLayers = 2, VocabSize = 1000 },
        Vae = published.Vae with { BaseDim = published.Vae.BaseDim / 2, DecoderBaseDim = published.Vae.DecoderBaseDim / 2 },
    };
}
