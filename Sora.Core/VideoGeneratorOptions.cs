using System.Text.RegularExpressions;
using Sora.Weights;

namespace Sora;

/// <summary>How a model is loaded and run. Immutable, checked when a property is set.</summary>
public sealed partial record VideoGeneratorOptions
{
    private static readonly ValueRange<int> ThreadCounts = new(1, 1024);
    private static readonly ValueRange<int> BatchSizes = new(1, 1000);
    private static readonly ValueRange<int> PreviewSteps = new(1, 1000);
    private static readonly ValueRange<int> TileSizes = new(0, 16384);
    private static readonly ValueRange<long> MemoryLimits = new(1, long.MaxValue);

    /// <summary>The device that runs the model.</summary>
    /// <value>
    /// <c>cpu</c>, <c>cuda</c> (the first GPU) or <c>cuda:1</c> (the GPU of that index); by default null, the first GPU
    /// where the engine has one, else the CPU.
    /// </value>
    /// <exception cref="SoraException">Not the name of a device.</exception>
    public string? Device { get; init => field = value is null ? null : RequireDevice(value); }

    /// <summary>The number format of weights and matrix products.</summary>
    /// <value>By default <see cref="Precision.Auto"/>.</value>
    public Precision Precision { get; init; } = Precision.Auto;

    /// <summary>Threads that the CPU's operators run on.</summary>
    /// <value>1 to 1024; by default null, one for each core.</value>
    /// <exception cref="SoraException">Out of range.</exception>
    public int? Threads { get; init => field = ThreadCounts.Require(nameof(Threads), value); }

    /// <summary>
    /// Whether the model runs with the LoRA that its folder brings for a few steps (<see cref="Weights.RequestDefaults.FewSteps"/>), beside
    /// <see cref="Loras"/>. Its steps, guidance and sampler are then the defaults of requests (<see cref="VideoGenerator.Limits"/>).
    /// </summary>
    /// <value>By default null: where the folder brings one. True is refused where it brings none.</value>
    public bool? FewSteps { get; init; }

    /// <summary>LoRAs that change the transformer from the start; <see cref="VideoGenerator.SetLorasAsync"/> changes them later.</summary>
    /// <value>By default none.</value>
    public ValueList<LoraFile> Loras { get; init; } = [];

    /// <summary>
    /// Whether every part of the model stays in memory between generations and stages. When it does not, a part is loaded
    /// when its stage begins and let go when it ends: text encoder, autoencoder and image encoder (where frames are given),
    /// transformer (one expert after the other where there are two), autoencoder. The peak is then the largest part and
    /// what its stage computes, and every generation loads the parts anew.
    /// </summary>
    /// <value>By default null: kept when the files of all parts together take less than 2 GB.</value>
    public bool? KeepComponents { get; init; }

    /// <summary>
    /// Whether the layers of a transformer and of the text encoder are read from their files as they are used: two of them
    /// are in memory, in the type of matrix products, the one that computes and the next, which is read meanwhile. Every step
    /// then reads the files once, and gives the same numbers.
    /// </summary>
    /// <value>
    /// By default null: on the CPU those networks are streamed whose weights, in the type of matrix products, take more than
    /// 70 % of the memory that is available when they are loaded (the lower of the system's and, on Linux, what the process's
    /// control group leaves); on other devices none.
    /// </value>
    public bool? LayerStreaming { get; init; }

    /// <summary>
    /// The largest side, in pixels, of the overlapping tiles in which the autoencoder decodes and encodes: less memory, a little
    /// more time, and the same frames within rounding (docs/performance.md).
    /// </summary>
    /// <value>
    /// 0 (never tiled), or <see cref="VideoVae.SpatialTiles.LeastSide"/> latents at least; by default null: on the CPU the
    /// largest tiles that fit, where the whole picture does not fit into memory, elsewhere never tiled.
    /// </value>
    /// <exception cref="SoraException">Out of range; what is too small for a model is told when it is loaded.</exception>
    public int? VaeTileSize { get; init => field = TileSizes.Require(nameof(VaeTileSize), value); }

    /// <summary>
    /// Whether a stage whose numbers leave the range of the precision is computed again in float32: its network is loaded in
    /// float32 for that, which takes up to twice the memory of its weights, and a note tells of it. The transformer goes on from the step
    /// at which it happened, the decoder from the frames that were not given yet.
    /// </summary>
    /// <value>By default true. When false, the generation ends with an error that names the stage.</value>
    public bool RetryInFloat32 { get; init; } = true;

    /// <summary>
    /// The memory that a generation on the CPU may take, its weights included, in bytes. One that needs more, as
    /// <see cref="VideoGenerator.Estimate"/> counts it, is refused before it starts.
    /// </summary>
    /// <value>At least 1; by default null: what is available when the generation starts.</value>
    /// <exception cref="SoraException">Out of range.</exception>
    public long? MemoryLimit { get; init => field = MemoryLimits.Require(nameof(MemoryLimit), value); }

    /// <summary>
    /// The most videos that run as one packed batch, where several requests are given at once
    /// (<see cref="VideoGenerator.GenerateAsync(IReadOnlyList{VideoRequest}, IProgress{GenerationProgress}, CancellationToken)"/>).
    /// </summary>
    /// <value>
    /// 1 to 1000; by default null: as many as fit into memory, up to 16,384 patches of all branches together, and on devices whose
    /// memory is not known one.
    /// </value>
    /// <exception cref="SoraException">Out of range.</exception>
    public int? BatchSize { get; init => field = BatchSizes.Require(nameof(BatchSize), value); }

    /// <summary>
    /// After how many of the steps that <see cref="GenerationProgress.Step"/> counts, while denoising, the progress carries
    /// pictures of what the video is going to be (<see cref="GenerationProgress.Previews"/>).
    /// </summary>
    /// <value>1 to 1000; by default null: never, which costs nothing.</value>
    /// <exception cref="SoraException">Out of range.</exception>
    public int? PreviewEvery { get; init => field = PreviewSteps.Require(nameof(PreviewEvery), value); }

    private static string RequireDevice(string device)
    {
        string name = device.ToLowerInvariant();
        if (DeviceName.IsMatch(name))
            return name;
        string nearest = NearestName.Find(name, ["cpu", "cuda"]) is { } found ? $", nearest: {found}" : "";
        throw new SoraException($"Device '{device}' is unknown; known: cpu, cuda, cuda:0, cuda:1 and so on{nearest}.");
    }

    // \z and not $: the latter lets a newline pass.
    [GeneratedRegex(@"^(cpu|cuda|cuda:[0-9]{1,3})\z", RegexOptions.CultureInvariant)]
    private static partial Regex DeviceName { get; }
}
