using Sora.Text;

namespace Sora.Weights;

/// <summary>
/// Writes a published model with random weights, as a fresh network starts: for tests at full size, and for training from
/// nothing. A tensor at a time, so that the memory of one suffices.
/// </summary>
public static class RandomCheckpoint
{
    /// <summary>Words of the tokenizer that is written: the published one is not Sora's to give.</summary>
    private const string Words =
        "a an the of in on at to and with is are red green blue yellow white black small large fish cat dog bird car boat man woman child "
        + "sea sky space beach city street forest mountain snow rain sun moon night day swims flies runs walks turns stands left right up down slowly fast";

    /// <summary>Writes the folder.</summary>
    /// <param name="model">The model.</param>
    /// <param name="folder">A folder that does not exist or is empty.</param>
    /// <param name="precision">The type of weights; norms, modulation, embeddings of time and the VAE are float32 in each.</param>
    /// <param name="seed">The weights are a function of it.</param>
    /// <param name="only">A part, such as <c>transformer</c>, to write nothing else; null writes all.</param>
    /// <param name="quantization">
    /// Writes transformers as a GGUF file whose matrices are quantised so, in the names of the original release; the other parts
    /// are as without. Null: all parts are safetensors.
    /// </param>
    /// <param name="cancellationToken">Stops between tensors; nothing remains.</param>
    /// <returns>The bytes of the weights.</returns>
    /// <exception cref="SoraException">The model has no such part, that part is not quantised, or the folder cannot be written.</exception>
    public static long Write(
        PublishedModel model, string folder, WeightPrecision precision, ulong seed = 0, string? only = null, WeightQuantization? quantization = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        (string Part, NetworkKind Kind, ModelConfig Config)[] parts = [.. PartsOf(model)];
        if (only is not null && !parts.Any(part => part.Part == only))
            throw new SoraException($"{model.Name} has no part {only}; allowed: {string.Join(", ", parts.Select(part => part.Part))}.");
        if (quantization is not null && only is not null && parts.First(part => part.Part == only).Kind != NetworkKind.Transformer)
            throw new SoraException($"{only} is written as safetensors alone; a quantization is for: {string.Join(", ", parts.Where(part => part.Kind == NetworkKind.Transformer).Select(part => part.Part))}.");
        var values = new RandomValues(seed);
        (string Part, NetworkKind Kind, ModelConfig Config)[] written = [.. parts.Where(part => only is null || part.Part == only)];
        bool IsQuantized(NetworkKind kind) => quantization is not null && kind == NetworkKind.Transformer;
        var files = new ModelFolderFiles(
        [
            .. written.Where(part => !IsQuantized(part.Kind))
                .Select(part => (part.Part, part.Config, Tensors(part.Part, part.Kind, part.Config, precision, values, cancellationToken))),
        ])
        {
            Quantized =
            [
                .. written.Where(part => IsQuantized(part.Kind))
                    .Select(part => (part.Part, part.Config, Metadata(model, quantization!.Value), Blocks(part.Part, part.Config, quantization!.Value, values, cancellationToken))),
            ],
            Others = only is not null ? [] : ModelFolderFiles.OthersOf(model.Index,
                new SchedulerConfig { ClassName = SchedulerConfig.UniPC, Shift = model.Defaults.Shift, Prediction = model.Prediction },
                new TokenizerConfig { ModelMaxLength = model.Defaults.MaxSequenceLength },
                model.ImageEncoder is { } encoder ? ModelFileReader.ProcessorOf(encoder) : null, model.Defaults, SentencePiece()),
        };
        files.Write(folder);
        return files.ByteLength;
    }

    private static IEnumerable<(string, NetworkKind, ModelConfig)> PartsOf(PublishedModel model)
    {
        yield return ("transformer", NetworkKind.Transformer, model.Transformer);
        if (model.BoundaryRatio is not null)
            yield return ("transformer_2", NetworkKind.Transformer, model.Transformer);
        yield return ("vae", NetworkKind.Vae, model.Vae);
        yield return ("text_encoder", NetworkKind.TextEncoder, model.TextEncoder);
        if (model.ImageEncoder is { } encoder)
            yield return ("image_encoder", NetworkKind.ImageEncoder, encoder);
    }

    private static SafetensorsContent[] Tensors(
        string part, NetworkKind kind, ModelConfig config, WeightPrecision precision, RandomValues values, CancellationToken cancellationToken) =>
    [
        .. ParameterList.Of(config).Select(parameter =>
        {
            SafetensorsType type = precision.Stored(kind, parameter);
            return new SafetensorsContent(parameter.Name, type, parameter.Shape, stream =>
            {
                cancellationToken.ThrowIfCancellationRequested();
                // Experts start apart, as the same name in two networks would not.
                values.Write(part, parameter, type, stream);
            });
        }),
    ];

    // What ComfyUI-GGUF's converter writes (github.com/city96/ComfyUI-GGUF, tools/convert.py), and who wrote it.
    private static KeyValuePair<string, object>[] Metadata(PublishedModel model, WeightQuantization quantization) =>
    [
        new("general.architecture", "wan"),
        new("general.name", $"{model.Title}, random weights"),
        new("general.quantization_version", 2u),
        new("general.file_type", quantization.FileType()),
    ];

    private static GgufContent[] Blocks(string part, ModelConfig config, WeightQuantization quantization, RandomValues values, CancellationToken cancellationToken) =>
    [
        .. ParameterList.Of(config).Select(parameter =>
        {
            GgufType type = quantization.Stored(parameter);
            string name = OriginalNames.Transformer.ToOriginal(parameter.Name)
                ?? throw new InvalidOperationException($"{parameter.Name} has no name in the original release.");
            return new GgufContent(name, type, parameter.Shape, stream =>
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (type is GgufType.F32 or GgufType.F16)
                    values.Write(part, parameter, type == GgufType.F32 ? SafetensorsType.F32 : SafetensorsType.F16, stream);
                else
                    RandomBlocks.Write(type, parameter, values.PositionOf(part, parameter), stream);
            });
        }),
    ];

    private static byte[] SentencePiece() =>
        new SentencePieceModelBuilder(Words.Split(' ').Select((word, rank) => KeyValuePair.Create(word, 1000L / (rank + 1)))).Build();
}
