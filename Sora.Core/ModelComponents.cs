using Sora.Conditioning;
using Sora.Estimation;
using Sora.Latents;
using Sora.Layers;
using Sora.Previews;
using Sora.Text;
using Sora.Transformer;
using Sora.VideoVae;
using Sora.Weights;

namespace Sora;

/// <summary>The networks of a model folder. Small ones are loaded at once, those of large models each for its stage.</summary>
internal sealed class ModelComponents : IDisposable
{
    // Below this, loading again for every video costs more than what it saves.
    private const long SmallModel = 2_000_000_000;

    // The rest is for what is computed, and for the pages of the files.
    private const double ShareOfMemory = 0.7;

    private readonly VideoGeneratorOptions _options;
    private readonly ScalarType _type;
    private readonly Lazy<GenerationCost> _cost;
    private readonly List<(string Name, IDisposable Part, Action Prepare)> _parts = [];
    private LoraSet _loras = LoraSet.Open([]);
    private readonly CancellationTokenSource _closing = new();
    private Task<string> _fingerprint = Task.FromResult("");
    private bool _told;
    private LatentColours? _colours;

    private ModelComponents(ModelFolder folder, VideoGeneratorOptions options)
    {
        Folder = folder;
        _options = options;
        FewSteps = folder.FewStepsOf(options.FewSteps) is not null;
        Device = DeviceOf(options.Device);
        ComputeTypes.Require(options.Precision, Device);
        if (options is { Precision: Precision.Int8, LayerStreaming: true })
            throw new SoraException("Precision int8 does not go with layers that are read as they are used: their weights become 8 bits when they are loaded; nearest: either of them.");
        _type = ComputeTypes.Of(options.Precision, Device);
        Keep = options.KeepComponents ?? folder.WeightBytes < SmallModel;
        DecodingTiles.RequireSize(folder.Vae, options.VaeTileSize);
        _cost = new(() => new GenerationCost(folder, _type, Keep, Streams, options.VaeTileSize, IsInt8));
        Tokenizer = LoadTokenizer(folder);
        Normalizer = new(folder.Vae, Device);

        TextEncoder = Part("text_encoder", parameters => new UMT5Encoder(folder.TextEncoder, parameters), CheckpointParameters.TextEncoderNames);
        ModelPart<DiffusionTransformer> transformer = Part("transformer", parameters => new DiffusionTransformer(folder.Transformer, parameters));
        Experts = folder.Transformer2 is not { } second
            ? [new Expert(transformer, 0)]
            :
            [
                new Expert(transformer, folder.Index.BoundaryRatio!.Value * folder.Scheduler.NumTrainTimesteps),
                new Expert(Part("transformer_2", parameters => new DiffusionTransformer(second, parameters)), 0),
            ];
        if (folder.ImageEncoder is { } images)
            ImageEncoder = Part("image_encoder", parameters => new ClipVisionEncoder(images, parameters));
        Vae = Part("vae", parameters => new VideoAutoencoder(folder.Vae, parameters));
    }

    public ModelFolder Folder { get; }

    /// <summary>Whether the model runs with its own LoRA for a few steps.</summary>
    public bool FewSteps { get; }

    /// <summary>What the model can make, and what it makes by default as it runs.</summary>
    public ModelLimits Limits => Folder.LimitsOf(FewSteps);

    public Device Device { get; }

    /// <summary>What tells this model's files from others. Hashing begins when the model is loaded; this waits for its end.</summary>
    /// <exception cref="SoraException">A file cannot be read any more.</exception>
    public string Fingerprint => _fingerprint.GetAwaiter().GetResult();

    /// <summary>The number format that is computed in.</summary>
    public Precision Precision => IsInt8 ? Precision.Int8 : _type == bfloat16 ? Precision.BFloat16 : Precision.Full;

    /// <summary>The active LoRAs, without the model's own.</summary>
    public ValueList<LoraFile> Loras { get; private set; } = [];

    /// <summary>Whether a stage that leaves the range of the precision is computed again in float32.</summary>
    public bool RetriesInFloat32 => _options.RetryInFloat32;

    public int Threads => _options.Threads ?? Environment.ProcessorCount;

    /// <summary>Whether parts stay in memory after their stage.</summary>
    public bool Keep { get; }

    public PromptTokenizer Tokenizer { get; }

    public LatentNormalizer Normalizer { get; }

    public ModelPart<UMT5Encoder> TextEncoder { get; }

    /// <summary>The transformers, the one for the noisiest times first.</summary>
    public IReadOnlyList<Expert> Experts { get; }

    public ModelPart<VideoAutoencoder> Vae { get; }

    /// <summary>The image encoder; null in models without one.</summary>
    public ModelPart<ClipVisionEncoder>? ImageEncoder { get; }

    /// <summary>What requests to this model cost.</summary>
    public GenerationCost Cost => _cost.Value;

    /// <summary>
    /// The memory for a generation, in bytes: what is available and what parts that are loaded take already, or the limit
    /// of the options where that is lower; null on devices with memory of their own.
    /// </summary>
    public long? MemoryForGeneration => Device.type != DeviceType.CPU ? null
        : Math.Min(
            AvailableMemory.Read() + Cost.WeightsOf(TextEncoder.IsLoaded, [.. Experts.Select(expert => expert.Network.IsLoaded)], Vae.IsLoaded),
            _options.MemoryLimit ?? long.MaxValue);

    /// <summary>The type of matrix products.</summary>
    public ScalarType ComputeType => _type;

    /// <summary>The most videos in a packed batch; null: as many as fit.</summary>
    public int? BatchSize => _options.BatchSize;

    /// <summary>After how many steps there is a preview; null: never.</summary>
    public int? PreviewEvery => _options.PreviewEvery;

    /// <summary>The colours of latents: the published ones, else fitted once to the autoencoder's own.</summary>
    /// <param name="clock">Told the time that loading the autoencoder takes.</param>
    public LatentColours PreviewColours(StageClock clock)
    {
        if (_colours is not null || (_colours = PublishedColours.Of(Folder.Vae)) is not null)
            return _colours;
        using ModelPart<VideoAutoencoder>.Loan vae = Vae.Borrow(clock);
        return _colours = FittedColours.Of(vae.Network, Normalizer, Device);
    }

    /// <summary>What of the active LoRAs has no place in the model.</summary>
    public IReadOnlyList<string> LoraNotes { get; private set; } = [];

    /// <summary>Replaces the active LoRAs. The transformers are read anew from their files, with the LoRAs added.</summary>
    /// <exception cref="SoraException">A file cannot be used with this model; what was active stays active.</exception>
    public void SetLoras(IReadOnlyList<LoraFile> files)
    {
        ActivateLoras(files);
        foreach (Expert expert in Experts)
            expert.Network.Prepare();
    }

    /// <summary>Opens a folder, and loads its networks where they are kept; where not, checks that their files can be used.</summary>
    /// <exception cref="SoraException">The folder, a file or the device cannot be used.</exception>
    public static ModelComponents Load(string path, VideoGeneratorOptions options, IProgress<GenerationProgress>? progress, CancellationToken cancellationToken)
    {
        var model = new ModelComponents(ModelFolder.Open(path), options);
        try
        {
            var clock = new StageClock(progress);
            clock.Begin(GenerationStage.LoadingModel, model._parts.Count);
            model.ActivateLoras(options.Loras);
            for (int i = 0; i < model._parts.Count; i++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                model.Folder.OpenWeights(model._parts[i].Name).Dispose();
                model._parts[i].Prepare();
                clock.Report(i + 1, model._parts.Count);
            }
            // Beside the work, since nobody needs it before a video is finished.
            model._fingerprint = Task.Run(() => ModelFingerprint.Of(model.Folder, model.FewSteps, model._closing.Token), CancellationToken.None);
            return model;
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    /// <summary>What a user should know about the model's files, told once.</summary>
    public IReadOnlyList<string> TakeNotes()
    {
        IReadOnlyList<string> unknown = _told ? [] : Folder.UnknownFields;
        _told = true;
        return unknown.Count == 0 ? [] : [$"Fields of the model that Sora does not know, and ignores: {string.Join(", ", unknown)}."];
    }

    public void Dispose()
    {
        if (_closing.IsCancellationRequested)
            return;
        _closing.Cancel();
        // Whoever asked for the hash was told of its failure.
        ((Task)_fingerprint).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing).GetAwaiter().GetResult();
        _closing.Dispose();
        foreach ((_, IDisposable part, _) in _parts)
            part.Dispose();
        Normalizer.Dispose();
        _loras.Dispose();
    }

    private void ActivateLoras(IReadOnlyList<LoraFile> files)
    {
        var loras = LoraSet.Open(FewSteps ? [new(Folder.RequireFewStepsLora()), .. files] : files);
        var notes = new List<string>();
        try
        {
            // Opening a store checks its LoRAs against names and shapes; no weight is read yet.
            foreach (string name in loras.IsEmpty ? [] : Folder.Transformer2 is null ? (string[])["transformer"] : ["transformer", "transformer_2"])
            {
                using WeightStore store = OpenWeights(name, loras);
                notes.AddRange((store as LoraStore)?.Notes ?? []);
            }
        }
        catch
        {
            loras.Dispose();
            throw;
        }
        foreach (Expert expert in Experts)
            expert.Network.Dispose();
        _loras.Dispose();
        (_loras, LoraNotes, Loras) = (loras, [.. notes.Distinct()], [.. files]);
    }

    // The weights of a part; those of transformers with LoRAs.
    private WeightStore OpenWeights(string name, LoraSet loras) => name switch
    {
        "transformer" => loras.Over(Folder.OpenWeights(name), Folder.Transformer2 is null ? LoraExpert.All : LoraExpert.HighNoise),
        "transformer_2" => loras.Over(Folder.OpenWeights(name), LoraExpert.LowNoise),
        _ => Folder.OpenWeights(name),
    };

    private ModelPart<T> Part<T>(string name, Func<ParameterSource, T> build, IReadOnlyDictionary<string, string>? otherNames = null)
        where T : class, IDisposable
    {
        ModelPart<T> Of(ScalarType type, bool inInt8, bool keep, ModelPart<T>? inFloat32) =>
            new(() => Build(Parameters(OpenWeights(name, _loras), type, otherNames, inInt8), build), keep) { InFloat32 = inFloat32 };
        bool int8 = IsInt8 && typeof(T) == typeof(DiffusionTransformer);
        ModelPart<T> part = Of(_type, int8, Keep, _type == float32 && !int8 ? null : Of(float32, inInt8: false, keep: false, null));
        _parts.Add((name, part, part.Prepare));
        return part;
    }

    private CheckpointParameters Parameters(WeightStore store, ScalarType type, IReadOnlyDictionary<string, string>? otherNames, bool int8) =>
        new(store, type, Device, otherNames, !int8 && Streams(store.Names.Sum(name => store.ShapeOf(name).Aggregate(type == float32 ? 4L : 2L, (a, b) => a * b)))) { Int8 = int8 };

    private bool IsInt8 => _options.Precision == Precision.Int8;

    /// <summary>Whether a network with so many bytes of weights, in the type of matrix products, is read layer by layer.</summary>
    private bool Streams(long weightBytes) =>
        _options.LayerStreaming
        ?? (Device.type == DeviceType.CPU && weightBytes > ShareOfMemory * Math.Min(AvailableMemory.Read(), _options.MemoryLimit ?? long.MaxValue));

    // A network disposes its parameters; one that could not be built cannot.
    private static T Build<T>(ParameterSource parameters, Func<ParameterSource, T> build)
    {
        try
        {
            return build(parameters);
        }
        catch
        {
            parameters.Dispose();
            throw;
        }
    }

    private static PromptTokenizer LoadTokenizer(ModelFolder folder)
    {
        var tokenizer = folder.OpenTokenizer();
        if (tokenizer.VocabularySize > folder.TextEncoder.VocabSize)
            throw new SoraException($"{folder.SentencePiecePath} has {tokenizer.VocabularySize} tokens, but the text encoder's vocab_size is {folder.TextEncoder.VocabSize}: they do not belong together.");
        return new(tokenizer);
    }

    private static Device DeviceOf(string? name)
    {
        if (name is null)
            return cuda.is_available() ? device("cuda") : CPU;
        if (name != "cpu" && !cuda.is_available())
            throw new SoraException($"Device {name} was asked for, but the tensor engine finds no CUDA; nearest: cpu.");
        return device(name);
    }
}
