using System.Numerics;

namespace Sora.Weights;

/// <summary>
/// A model on disk in the layout of diffusers, its configurations read and checked against each other; weights are not
/// opened. A text-to-video model has <c>transformer</c>, <c>vae</c>, <c>text_encoder</c>, <c>tokenizer</c> and
/// <c>scheduler</c>; <c>transformer_2</c> and <c>image_encoder</c> are optional.
/// </summary>
public sealed record ModelFolder
{
    private const string IndexFile = "model_index.json";

    private ModelFolder()
    {
    }

    /// <summary>The folder as it was given.</summary>
    public required string Path { get; init; }

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

    /// <summary>The schedule of noise levels.</summary>
    public required SchedulerConfig Scheduler { get; init; }

    /// <summary>What a request that leaves values open gets.</summary>
    public required RequestDefaults Defaults { get; init; }

    /// <summary>The transformer's folder.</summary>
    public string TransformerPath => Of("transformer");

    /// <summary>The second transformer's folder; null in models with one.</summary>
    public string? Transformer2Path => Transformer2 is null ? null : Of("transformer_2");

    /// <summary>The VAE's folder.</summary>
    public string VaePath => Of("vae");

    /// <summary>The text encoder's folder.</summary>
    public string TextEncoderPath => Of("text_encoder");

    /// <summary>The tokenizer's SentencePiece model.</summary>
    public string SentencePiecePath => Of("tokenizer", "spiece.model");

    /// <summary>The image encoder's folder; null in models without.</summary>
    public string? ImageEncoderPath => Index.Find("image_encoder") is null ? null : Of("image_encoder");

    /// <summary>Width and height in pixels are multiples of this.</summary>
    public int SpatialStride => Vae.SpatialStride * LeastCommonMultiple(Transformer.PatchSize[1], Transformer.PatchSize[2]);

    /// <summary>The number of frames is a multiple of this, plus 1.</summary>
    public int TemporalStride => Vae.TemporalStride;

    /// <summary>The sizes that the model can make, and what it makes by default.</summary>
    public ModelLimits Limits => new()
    {
        SpatialStride = SpatialStride,
        TemporalStride = TemporalStride,
        MaximumTokens = Defaults.MaxSequenceLength,
        NegativePrompt = Defaults.NegativePrompt,
        Width = Defaults.Width,
        Height = Defaults.Height,
        FrameCount = Defaults.FrameCount,
        FramesPerSecond = Defaults.FramesPerSecond,
        Steps = Defaults.Steps,
        GuidanceScale = Defaults.GuidanceScale,
        Shift = Defaults.Shift,
        Sampler = Defaults.Sampler,
    };

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
        .. Unknown(RequestDefaults.FileName, Defaults),
    ];

    /// <summary>Reads the configurations of a model folder and finds its weights.</summary>
    /// <exception cref="SoraException">
    /// The folder or a file of it is missing, a configuration is not valid, or two of them do not fit together; the message says
    /// what was looked for and what was found.
    /// </exception>
    public static ModelFolder Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return ModelFolderReader.Read(path);
    }

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

    private string Of(params ReadOnlySpan<string> parts) => System.IO.Path.Combine([Path, .. parts]);

    private static IEnumerable<string> Unknown(string file, ModelConfig? config) =>
        config?.UnknownFields.Select(field => $"{file}: {field}") ?? [];

    private static int LeastCommonMultiple(int a, int b) => a / (int)BigInteger.GreatestCommonDivisor(a, b) * b;
}
