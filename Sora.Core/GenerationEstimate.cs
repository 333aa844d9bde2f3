namespace Sora;

/// <summary>
/// What a generation will take, from the model's configs and one measurement. Operations are those of matrix products and
/// convolutions; left out are the encoding of given frames and what is under a hundredth (norms, softmax, the sampler).
/// </summary>
public sealed record GenerationEstimate
{
    /// <summary>The request with every value filled.</summary>
    public required VideoRequest Request { get; init; }

    /// <summary>The windows in which the video is made: 1 unless it is a long one.</summary>
    public required int Windows { get; init; }

    /// <summary>N, the patches of the video, of its largest window, that one branch of the transformer computes with: t·h·w over the patch size.</summary>
    public required long Tokens { get; init; }

    /// <summary>How often the transformer is evaluated: once a step of each window, with heun twice.</summary>
    public required int Evaluations { get; init; }

    /// <summary>Floating-point operations of the text encoder, for the prompt and under guidance the negative prompt.</summary>
    public required double TextEncoderOperations { get; init; }

    /// <summary>Floating-point operations of the transformer: all evaluations, of two branches where guidance is on.</summary>
    public required double TransformerOperations { get; init; }

    /// <summary>Floating-point operations of the video decoder.</summary>
    public required double DecoderOperations { get; init; }

    /// <summary>All floating-point operations.</summary>
    public double Operations => TextEncoderOperations + TransformerOperations + DecoderOperations;

    /// <summary>The memory of each stage, in the order in which they happen.</summary>
    public required IReadOnlyList<StageMemory> Memory { get; init; }

    /// <summary>
    /// The memory at the peak, in bytes: that of the largest stage, and where parts are kept the weights of the others too.
    /// </summary>
    public required long PeakMemory { get; init; }

    /// <summary>
    /// The memory that there is for it, in bytes: the lower of what the system and, on Linux, the process's control group
    /// leave (MemAvailable; memory.max less memory.current without inactive files), and what loaded parts take already.
    /// Null on devices with memory of their own, of which the engine does not tell.
    /// </summary>
    public required long? AvailableMemory { get; init; }

    /// <summary>The tiles in which the autoencoder works on each frame (<see cref="VideoGeneratorOptions.VaeTileSize"/>); 1: not tiled.</summary>
    public required int VaeTiles { get; init; }

    /// <summary>Whether the peak is within the available memory; true where that is not known.</summary>
    public bool Fits => AvailableMemory is not { } available || PeakMemory <= available;

    /// <summary>
    /// The floating-point operations a second that <see cref="Time"/> assumes: the measured rate of a 1024×1024 matrix
    /// product in the type of matrix products.
    /// </summary>
    public required double OperationsPerSecond { get; init; }

    /// <summary>
    /// The operations at that rate. Attention and convolutions run slower than a plain product, and loading and encoding files are
    /// not in it, so a generation rarely takes less and may take twice as long.
    /// </summary>
    public TimeSpan Time => TimeSpan.FromSeconds(Math.Min(Operations / OperationsPerSecond, TimeSpan.MaxValue.TotalSeconds / 2));
}

/// <summary>
/// The memory of one stage, in bytes. Activations are counted in the order of the networks' code, at the place where most is held:
/// in a layer of the text encoder, at the end or in the attention of a block of the transformer, in a level of the
/// decoder for the frames of one latent frame; with the allocator's gaps, and 4 MB for what the runtime takes. How near
/// resident memory came to that is in docs/checkpoints.md.
/// </summary>
/// <param name="Stage">The stage.</param>
/// <param name="Weights">The parameters in the types in which they are held, those of the autoencoder's convolutions also in the kernels' order.</param>
/// <param name="Activations">What is computed.</param>
/// <param name="IsStreamed">Whether two layers of the network are in memory and not all.</param>
public sealed record StageMemory(GenerationStage Stage, long Weights, long Activations, bool IsStreamed)
{
    /// <summary>Both together.</summary>
    public long Total => Weights + Activations;
}
