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
    /// <param name="cancellationToken">Stops between tensors; nothing remains.</param>
    /// <returns>The bytes of the weights.</returns>
    /// <exception cref="SoraException">The model has no such part, or the folder cannot be written.</exception>
    public static long Write(
        PublishedModel model, string folder, WeightPrecision precision, ulong seed = 0, string? only = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        (string Part, NetworkKind Kind, ModelConfig Config)[] parts = [.. PartsOf(model)];
        if (only is not null && !parts.Any(part => part.Part == only))
            throw new SoraException($"{model.Name} has no part {only}; allowed: {string.Join(", ", parts.Select(part => part.Part))}.");
        var values = new RandomValues(seed);
        var files = new ModelFolderFiles(
        [
            .. parts.Where(part => only is null || part.Part == only)
                .Select(part => (part.Part, part.Config, Tensors(part.Part, part.Kind, part.Config, precision, values, cancellationToken))),
        ])
        {
            Others = only is not null ? [] : ModelFolderFiles.OthersOf(model.Index,
                new SchedulerConfig { ClassName = SchedulerConfig.UniPC, Shift = model.Defaults.Shift },
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

    private static byte[] SentencePiece() =>
        new SentencePieceModelBuilder(Words.Split(' ').Select((word, rank) => KeyValuePair.Create(word, 1000L / (rank + 1)))).Build();
}
