using System.Numerics;
using Sora.Conditioning;
using Sora.Text;

namespace Sora.Weights;

/// <summary>
/// A model on disk, its configurations read and checked against each other: in the layout of diffusers, or in files that are
/// recognised by their tensors (the original Wan release, the single files of ComfyUI). A text-to-video model has <c>transformer</c>, <c>vae</c>, <c>text_encoder</c>, <c>tokenizer</c> and
/// <c>scheduler</c>; <c>transformer_2</c> is optional, and so are <c>image_encoder</c> and <c>image_processor</c> unless
/// the transformer reads image tokens.
/// </summary>
public sealed record ModelFolder
{
    private const string IndexFile = "model_index.json";

    /// <summary>The parts that have weights.</summary>
    internal static readonly (string Part, NetworkKind Kind)[] PartsWithWeights =
    [
        ("transformer", NetworkKind.Transformer), ("transformer_2", NetworkKind.Transformer), ("text_encoder", NetworkKind.TextEncoder),
        ("image_encoder", NetworkKind.ImageEncoder), ("vae", NetworkKind.Vae),
    ];

    private ModelFolder()
    {
    }

    /// <summary>The folder as it was given.</summary>
    public required string Path { get; init; }

    /// <summary>How its parts lie on disk.</summary>
    public ModelLayout Layout { get; init; }

    /// <summary>Which parts the model has.</summary>
    public required ModelIndex Index { get; init; }

    /// <summary>The transformer; with two, the one for the noisier times.</summary>
    public required WanTransformerConfig Transformer { get; init; }

    /// <summary>
    /// The transformer for times below <see cref="ModelIndex.BoundaryRatio"/>; null in models with one.
    /// </summary>
    public WanTransformerConfig? Transformer2 { get; init; }

    /// <summary>The video VAE.</summary>
    public required AutoencoderKLWanConfig Vae { get; init; }

    /// <summary>The text encoder.</summary>
    public required UMT5Config TextEncoder { get; init; }

    /// <summary>The tokenizer; without a file, without a limit.</summary>
    public required TokenizerConfig Tokenizer { get; init; }

    /// <summary>The image encoder; null in models without.</summary>
    public ClipVisionConfig? ImageEncoder { get; init; }

    /// <summary>How frames become the image encoder's input; there exactly when <see cref="ImageEncoder"/> is.</summary>
    public ClipImageProcessorConfig? ImageProcessor { get; init; }

    /// <summary>The schedule of noise levels.</summary>
    public required SchedulerConfig Scheduler { get; init; }

    /// <summary>What a request that leaves values open gets.</summary>
    public required RequestDefaults Defaults { get; init; }

    /// <summary>How many channels of the latent, the last ones, are a map of what is where (<see cref="RequestDefaults.SemanticMap"/>).</summary>
    internal int MapChannels => Defaults.SemanticMap ? Training.SpriteWorld.SemanticMap.Channels : 0;

    /// <summary>How many times as large as the other channels these are.</summary>
    internal double MapGain => Scheduler.Lead?.Gain ?? 1;

    /// <summary>The transformer's folder or file.</summary>
    public string TransformerPath => Networks["transformer"].Path;

    /// <summary>The second transformer's folder or file; null in models with one.</summary>
    public string? Transformer2Path => Networks.GetValueOrDefault("transformer_2")?.Path;

    /// <summary>The VAE's folder or file.</summary>
    public string VaePath => Networks["vae"].Path;

    /// <summary>The text encoder's folder or file.</summary>
    public string TextEncoderPath => Networks["text_encoder"].Path;

    /// <summary>The tokenizer's SentencePiece model, or the weights that hold it as a tensor.</summary>
    public required string SentencePiecePath { get; init; }

    /// <summary>The image encoder's folder or file; null in models without.</summary>
    public string? ImageEncoderPath => Networks.GetValueOrDefault("image_encoder")?.Path;

    /// <summary>The bytes that the files of all networks take.</summary>
    public long WeightBytes => Networks.Values.Sum(network => network.ByteLength);

    /// <summary>The files of each network, by the name of its part.</summary>
    internal IReadOnlyDictionary<string, NetworkFiles> Networks { get; init; } = new Dictionary<string, NetworkFiles>();

    /// <summary>
    /// The tensor of bytes that holds the SentencePiece model, or <see cref="GgufTokenizer.Pieces"/> where it is a GGUF file's own
    /// tokenizer; null where it has a file of its own.
    /// </summary>
    internal string? SentencePieceTensor { get; init; }

    /// <summary>Width and height in pixels are multiples of this.</summary>
    public int SpatialStride => Vae.SpatialStride * LeastCommonMultiple(Transformer.PatchSize[1], Transformer.PatchSize[2]);

    /// <summary>The number of frames is a multiple of this, plus 1.</summary>
    public int TemporalStride => Vae.TemporalStride;

    /// <summary>The sizes that the model can make, and what it makes by default without a LoRA for few steps; <see cref="LimitsOf"/> with it.</summary>
    public ModelLimits Limits => new()
    {
        SpatialStride = SpatialStride,
        TemporalStride = TemporalStride,
        MaximumTokens = Defaults.MaxSequenceLength,
        KnownFrames = KnownFrameRules.Of(this),
        HasTwoExperts = Transformer2 is not null,
        NegativePrompt = Defaults.NegativePrompt,
        Width = Defaults.Width,
        Height = Defaults.Height,
        FrameCount = Defaults.FrameCount,
        FramesPerSecond = Defaults.FramesPerSecond,
        Steps = Defaults.Steps,
        GuidanceScale = Defaults.GuidanceScale,
        LowNoiseGuidanceScale = Defaults.LowNoiseGuidanceScale,
        GuidanceInterval = Defaults.GuidanceInterval,
        Shift = Defaults.Shift,
        ShiftTokens = Defaults.ShiftTokens,
        Sampler = Defaults.Sampler,
        World = Defaults.World,
    };

    /// <summary><see cref="Limits"/> with the model's LoRA for few steps, or without.</summary>
    /// <param name="fewSteps"><see cref="VideoGeneratorOptions.FewSteps"/>; null: with it where the folder brings it.</param>
    /// <exception cref="SoraException">Few steps are asked for, and the model has none.</exception>
    public ModelLimits LimitsOf(bool? fewSteps) => FewStepsOf(fewSteps) is not { } few ? Limits
        : Limits with { Steps = few.Steps, GuidanceScale = few.GuidanceScale, LowNoiseGuidanceScale = null, GuidanceInterval = SigmaInterval.All, Sampler = few.Sampler };

    /// <summary>The few steps that are taken where <see cref="VideoGeneratorOptions.FewSteps"/> has a value; null: none.</summary>
    /// <exception cref="SoraException">Few steps are asked for, and the model has none.</exception>
    internal FewStepDefaults? FewStepsOf(bool? asked) =>
        asked == true && Defaults.FewSteps is null
            ? throw new SoraException($"{Path} has no few steps: its {RequestDefaults.FileName} names no LoRA under few_steps; nearest: without them.")
            : asked == false ? null : Defaults.FewSteps;

    /// <summary>This model for weights that its LoRA for few steps was not made for.</summary>
    internal ModelFolder ForOtherWeights() => this with { Defaults = Defaults with { FewSteps = null } };

    /// <summary>The LoRA of a model with few steps.</summary>
    /// <exception cref="SoraException">The file is missing.</exception>
    internal string RequireFewStepsLora()
    {
        string lora = System.IO.Path.Combine(Path, Defaults.FewSteps!.Lora);
        return File.Exists(lora) ? lora
            : throw new SoraException($"{lora} is missing, which {RequestDefaults.FileName} names under few_steps; nearest: run the model without few steps.");
    }

    /// <summary>Fields that this library does not know, as <c>vae/config.json: field</c>.</summary>
    public IReadOnlyList<string> UnknownFields =>
    [
        .. Unknown(IndexFile, Index),
        .. Unknown("transformer/config.json", Transformer),
        .. Unknown("transformer_2/config.json", Transformer2),
        .. Unknown("vae/config.json", Vae),
        .. Unknown("text_encoder/config.json", TextEncoder),
        .. Unknown("tokenizer/tokenizer_config.json", Tokenizer),
        .. Unknown("scheduler/scheduler_config.json", Scheduler),
        .. Unknown("image_encoder/config.json", ImageEncoder),
        .. Unknown($"image_processor/{ClipImageProcessorConfig.FileName}", ImageProcessor),
        .. Unknown(RequestDefaults.FileName, Defaults),
    ];

    /// <summary>Reads the configurations of a model and finds its weights.</summary>
    /// <param name="path">
    /// A folder with <c>model_index.json</c>; a folder of the original Wan release or of single files; or the file of a
    /// transformer, beside which the other parts are.
    /// </param>
    /// <exception cref="SoraException">
    /// The folder or a file of it is missing, a configuration is not valid, or two of them do not fit together; the message says
    /// what was looked for and what was found.
    /// </exception>
    public static ModelFolder Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return ModelFolderReader.Read(path);
    }

    /// <summary>Opens the weights of a part under the names of diffusers.</summary>
    /// <param name="part">A part that the model has, such as <c>transformer</c>.</param>
    /// <exception cref="SoraException">The files cannot be read.</exception>
    internal WeightStore OpenWeights(string part) => Networks[part].Open();

    /// <summary>The content of <c>spiece.model</c>.</summary>
    /// <exception cref="SoraException">The file cannot be read.</exception>
    internal byte[] ReadSentencePiece()
    {
        try
        {
            if (SentencePieceTensor is null)
                return File.ReadAllBytes(SentencePiecePath);
            if (SentencePieceTensor == GgufTokenizer.Pieces)
            {
                using var gguf = GgufFile.Open(SentencePiecePath);
                return GgufTokenizer.ReadSentencePiece(gguf);
            }
            using WeightFiles files = WeightFiles.Open(SentencePiecePath);
            return files.Bytes(SentencePieceTensor).ToArray();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SoraException($"The tokenizer {SentencePiecePath} cannot be read: {e.Message}", e);
        }
    }

    /// <summary>Loads the tokenizer.</summary>
    /// <exception cref="SoraException">It cannot be read or is not usable.</exception>
    internal SentencePieceTokenizer OpenTokenizer() => SentencePieceTensor is null
        ? SentencePieceTokenizer.Load(SentencePiecePath)
        : SentencePieceTokenizer.Load(ReadSentencePiece(), SentencePiecePath);

    internal static ModelFolder Create(
        string path, ModelIndex index, WanTransformerConfig transformer, WanTransformerConfig? transformer2,
        AutoencoderKLWanConfig vae, UMT5Config textEncoder, TokenizerConfig tokenizer, SchedulerConfig scheduler) => new()
        {
            Path = path,
            Index = index,
            Transformer = transformer,
            Transformer2 = transformer2,
            Vae = vae,
            TextEncoder = textEncoder,
            Tokenizer = tokenizer,
            Scheduler = scheduler,
            SentencePiecePath = System.IO.Path.Combine(path, "tokenizer", "spiece.model"),
            Networks = FoldersOf(path, index),
            Defaults = new RequestDefaults
            {
                Sampler = scheduler.Sampler,
                Shift = (float)scheduler.Shift,
                PerTokenTime = index.ExpandTimesteps,
            },
        };

    /// <summary>Names for a message, cut where they are many.</summary>
    internal static string Listing(IReadOnlyCollection<string> names) =>
        names.Count == 0 ? "nothing"
        : names.Count <= 12 ? string.Join(", ", names)
        : $"{string.Join(", ", names.Take(12))} and {names.Count - 12} more";

    private static Dictionary<string, NetworkFiles> FoldersOf(string path, ModelIndex index)
    {
        var networks = new Dictionary<string, NetworkFiles>();
        foreach ((string part, NetworkKind kind) in PartsWithWeights)
            if (index.Find(part) is not null)
                networks[part] = new(System.IO.Path.Combine(path, part), kind, NetworkNaming.Diffusers);
        return networks;
    }

    private static IEnumerable<string> Unknown(string file, ModelConfig? config) =>
        config?.UnknownFields.Select(field => $"{file}: {field}") ?? [];

    private static int LeastCommonMultiple(int a, int b) => a / (int)BigInteger.GreatestCommonDivisor(a, b) * b;
}
