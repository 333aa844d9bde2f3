using Sora.Layers;
using Sora.Transformer;
using Sora.Weights;

namespace Sora.Training.FineTuning;

/// <summary>A model's transformer in training: frozen with a LoRA beside its weights, or with all of its weights.</summary>
internal sealed class TunedModel : IDisposable
{
    private readonly FineTuningConfig _config;
    private readonly LowRankAdapters? _adapters;

    /// <summary>Loads the transformer.</summary>
    /// <exception cref="SoraException">The model cannot be fine-tuned; the message says what can.</exception>
    public TunedModel(FineTuningConfig config, ModelFolder model, ScalarType computeType, Device device)
    {
        (_config, Folder) = (config, model);
        Require(config, model);
        WanTransformerConfig shape = ShapeOf(config, model);
        _adapters = config.Lora is { } lora ? new(lora.Modules, lora.Rank, lora.Alpha, config.Seed, device) : null;
        Transformer = new(shape, Weights(model, computeType, device));
        if (config.ActivationCheckpointing)
            Transformer.Checkpoints = new();
        Parameters = _adapters?.Parameters ?? Transformer.Parameters;
    }

    /// <summary>The model.</summary>
    public ModelFolder Folder { get; }

    /// <summary>The network.</summary>
    public DiffusionTransformer Transformer { get; }

    /// <summary>What is trained, by name, float32.</summary>
    public IReadOnlyDictionary<string, Parameter> Parameters { get; }

    /// <summary>Checks, before anything is loaded, that a model can be trained so.</summary>
    /// <exception cref="SoraException">It cannot.</exception>
    public static void Require(FineTuningConfig config, ModelFolder model)
    {
        WanTransformerConfig shape = ShapeOf(config, model);
        if (shape.InChannels != model.Vae.ZDim || shape.ImageDim is not null)
            throw new SoraException($"{model.Path} takes its first frame as channels of the input (in_channels {shape.InChannels}) or as image tokens; such image-to-video models cannot be fine-tuned here. Text-to-video models can, and those with a time for each token (Wan 2.2 TI2V 5B).");
        config.Lora?.Require(shape);
        bool isFile = config.Output.EndsWith(".safetensors", StringComparison.Ordinal);
        if (config.Lora is not null && !isFile)
            throw new SoraException($"output '{config.Output}' of a LoRA must end in .safetensors; nearest: {config.Output.TrimEnd('/')}.safetensors.");
        if (config.Lora is null && isFile)
            throw new SoraException($"output '{config.Output}' of a full fine-tuning is a model folder; nearest: {config.Output[..^".safetensors".Length]}.");
        if (config.Lora is null && Directory.Exists(config.Output) && Directory.EnumerateFileSystemEntries(config.Output).Any())
            throw new SoraException($"output {config.Output} is there already; name a folder that does not exist or is empty.");
        if (config.Noise is { } noise && !model.Defaults.PerTokenTime && noise.KnownShare + noise.IndependentShare > 0)
            throw new SoraException($"{model.Path} was trained with one time for all tokens; known_share and independent_share must be 0.");
    }

    /// <summary>The noise levels that the network learns at, lowest and highest: of two experts each has its own.</summary>
    public (double Low, double High) Range => _config.Expert switch
    {
        LoraExpert.HighNoise => (Folder.Index.BoundaryRatio!.Value, 1),
        LoraExpert.LowNoise => (0, Folder.Index.BoundaryRatio!.Value),
        _ => (0, 1),
    };

    /// <summary>Writes the LoRA; a full fine-tuning writes nothing before its end.</summary>
    public void WriteCheckpoint()
    {
        if (_adapters is not null && _config.Lora is { } lora)
            LoraWriter.Write(_config.Output, _adapters, lora);
    }

    /// <summary>Writes the LoRA, or the model folder with the other parts as they were.</summary>
    /// <param name="defaults">The folder's defaults; null: the model's.</param>
    public void WriteResult(RequestDefaults? defaults = null)
    {
        if (_adapters is not null)
        {
            WriteCheckpoint();
            return;
        }
        string trained = PartOf(_config);
        ConvertedCheckpoint.Write(
            (Folder with { Defaults = defaults ?? Folder.Defaults }).ForOtherWeights(), part => part == trained ? new TrainedWeights(Parameters) : Folder.OpenWeights(part), _config.Output,
            _config.Precision, CancellationToken.None);
    }

    /// <summary>Frees the network and the LoRA.</summary>
    public void Dispose()
    {
        Transformer.Dispose();
        _adapters?.Dispose();
    }

    // A frozen network is held as it computes; what is trained has float32, in memory of its own.
    private CheckpointParameters Weights(ModelFolder model, ScalarType computeType, Device device)
    {
        WeightStore store = model.OpenWeights(PartOf(_config));
        return _adapters is not null
            ? new(store, computeType, device) { Adapters = _adapters }
            : new(store, computeType, device, weightType: float32) { Changes = true };
    }

    private static string PartOf(FineTuningConfig config) => config.Expert == LoraExpert.LowNoise ? "transformer_2" : "transformer";

    private static WanTransformerConfig ShapeOf(FineTuningConfig config, ModelFolder model) => (config.Expert, model.Transformer2) switch
    {
        (null or LoraExpert.All, null) => model.Transformer,
        (LoraExpert.HighNoise, { }) => model.Transformer,
        (LoraExpert.LowNoise, { } second) => second,
        (_, null) => throw new SoraException($"expert is {config.Expert}, and {model.Path} has one transformer; leave it out."),
        _ => throw new SoraException($"{model.Path} has two transformers; expert must say which is trained: high_noise or low_noise."),
    };
}
