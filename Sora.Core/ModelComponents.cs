using Sora.Latents;
using Sora.Layers;
using Sora.Text;
using Sora.Transformer;
using Sora.VideoVae;
using Sora.Weights;

namespace Sora;

/// <summary>The networks of a model folder, loaded.</summary>
internal sealed class ModelComponents : IDisposable
{
    private UMT5Encoder? _textEncoder;

    private ModelComponents(ModelFolder folder, Device device, int threads) => (Folder, Device, Threads) = (folder, device, threads);

    public ModelFolder Folder { get; }

    public Device Device { get; }

    public int Threads { get; }

    public PromptEncoder Prompts { get; private set; } = null!;

    public DiffusionTransformer Transformer { get; private set; } = null!;

    public VideoAutoencoder Vae { get; private set; } = null!;

    public LatentNormalizer Normalizer { get; private set; } = null!;

    /// <exception cref="SoraException">The folder, a file or the device cannot be used.</exception>
    public static ModelComponents Load(string path, VideoGeneratorOptions options, IProgress<GenerationProgress>? progress, CancellationToken cancellationToken)
    {
        ModelFolder folder = ModelFolder.Open(path);
        RequireKnownKind(folder);
        Device device = DeviceOf(options.Device);
        ScalarType type = ComputeTypes.Of(options.Precision, device);
        var model = new ModelComponents(folder, device, options.Threads ?? Environment.ProcessorCount);
        try
        {
            var clock = new StageClock(progress);
            clock.Begin(GenerationStage.LoadingModel, 3);
            PromptTokenizer tokenizer = LoadTokenizer(folder);
            model._textEncoder = Build(
                new CheckpointParameters(folder.TextEncoderPath, type, device, CheckpointParameters.TextEncoderNames),
                parameters => new UMT5Encoder(folder.TextEncoder, parameters));
            model.Prompts = new(tokenizer, model._textEncoder, folder.Defaults.MaxSequenceLength, device);
            clock.Report(1, 3);
            cancellationToken.ThrowIfCancellationRequested();
            model.Transformer = Build(
                new CheckpointParameters(folder.TransformerPath, type, device),
                parameters => new DiffusionTransformer(folder.Transformer, parameters));
            clock.Report(2, 3);
            cancellationToken.ThrowIfCancellationRequested();
            model.Vae = Build(
                new CheckpointParameters(folder.VaePath, type, device),
                parameters => new VideoAutoencoder(folder.Vae, parameters));
            model.Normalizer = new(folder.Vae, device);
            clock.Report(3, 3);
            return model;
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        _textEncoder?.Dispose();
        Transformer?.Dispose();
        Vae?.Dispose();
        Normalizer?.Dispose();
    }

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
        var tokenizer = SentencePieceTokenizer.Load(folder.SentencePiecePath);
        if (tokenizer.VocabularySize > folder.TextEncoder.VocabSize)
            throw new SoraException($"{folder.SentencePiecePath} has {tokenizer.VocabularySize} tokens, but the text encoder's vocab_size is {folder.TextEncoder.VocabSize}: they do not belong together.");
        return new(tokenizer);
    }

    private static void RequireKnownKind(ModelFolder folder)
    {
        if (folder.Transformer2 is not null)
            throw new SoraException($"{folder.Path} holds two experts (transformer_2), which this version does not run; models with one transformer work.");
        if (folder.Transformer.InChannels != folder.Transformer.OutChannels || folder.Transformer.ImageDim is not null)
            throw new SoraException($"{folder.Path} is an image-to-video model (in_channels {folder.Transformer.InChannels}), which this version does not run; text-to-video models work.");
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
