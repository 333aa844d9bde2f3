namespace Sora.Weights;

/// <summary>Writes a model of any layout and number format as a folder in the layout of diffusers.</summary>
public static class ConvertedCheckpoint
{
    /// <summary>Writes the folder.</summary>
    /// <param name="source">A model folder, a folder of the original release or of single files, or a transformer's file.</param>
    /// <param name="folder">A folder that does not exist or is empty.</param>
    /// <param name="precision">The type of weights; norms, modulation, embeddings of time and the VAE are float32 in each, but what the source has in bfloat16 stays so where bfloat16 is asked for.</param>
    /// <param name="cancellationToken">Stops between tensors; nothing remains.</param>
    /// <returns>The bytes of the weights.</returns>
    /// <exception cref="SoraException">The source cannot be read or lacks a tensor, or the folder cannot be written.</exception>
    public static long Write(string source, string folder, WeightPrecision precision, CancellationToken cancellationToken = default)
    {
        ModelFolder model = ModelFolder.Open(source);
        return Write(model, model.OpenWeights, folder, precision, cancellationToken);
    }

    /// <summary>Writes the folder of a model some of whose weights may come from elsewhere.</summary>
    /// <param name="model">The model.</param>
    /// <param name="open">Gives the weights of a part; they are disposed here.</param>
    /// <param name="folder">A folder that does not exist or is empty.</param>
    /// <param name="precision">The type of weights.</param>
    /// <param name="cancellationToken">Stops between tensors; nothing remains.</param>
    internal static long Write(ModelFolder model, Func<string, WeightStore> open, string folder, WeightPrecision precision, CancellationToken cancellationToken)
    {
        var stores = new List<WeightStore>();
        try
        {
            var networks = new List<(string, ModelConfig, IReadOnlyList<SafetensorsContent>)>();
            foreach ((string part, NetworkFiles network) in model.Networks)
            {
                stores.Add(open(part));
                ModelConfig config = ConfigOf(model, part);
                networks.Add((part, config, Tensors(stores[^1], network.Kind, config, precision, cancellationToken)));
            }
            var files = new ModelFolderFiles(networks)
            {
                Others =
                [
                    .. ModelFolderFiles.OthersOf(model.Index, model.Scheduler, model.Tokenizer, model.ImageProcessor, model.Defaults, model.ReadSentencePiece()),
                    .. model.Defaults.FewSteps is { } few ? ((string, string, Action<string>)[])[("", few.Lora, path => Copy(model.RequireFewStepsLora(), path))] : [],
                ],
            };
            files.Write(folder);
            return files.ByteLength;
        }
        finally
        {
            foreach (WeightStore store in stores)
                store.Dispose();
        }
    }

    private static ModelConfig ConfigOf(ModelFolder model, string part) => part switch
    {
        "transformer" => model.Transformer,
        "transformer_2" => model.Transformer2!,
        "text_encoder" => model.TextEncoder,
        "image_encoder" => model.ImageEncoder!,
        _ => model.Vae,
    };

    private static SafetensorsContent[] Tensors(
        WeightStore store, NetworkKind kind, ModelConfig config, WeightPrecision precision, CancellationToken cancellationToken) =>
    [
        .. ParameterList.Of(config).Select(parameter =>
        {
            string stored = NameIn(store, parameter.Name);
            IReadOnlyList<long> shape = store.ShapeOf(stored);
            if (!shape.SequenceEqual(parameter.Shape))
                throw new SoraException($"{store.PathOf(stored)}: {stored} has shape [{string.Join(", ", shape)}]; the config asks for [{string.Join(", ", parameter.Shape)}].");
            SafetensorsType type = precision.Stored(kind, parameter);
            // More bits than the source has would hold the same number.
            if (precision == WeightPrecision.BF16 && store.StoredTypeOf(stored) == SafetensorsType.BF16.HeaderName())
                type = SafetensorsType.BF16;
            return new SafetensorsContent(parameter.Name, type, parameter.Shape, stream =>
            {
                cancellationToken.ThrowIfCancellationRequested();
                Write(store, stored, type.Engine()!.Value, stream);
            });
        }),
    ];

    private static string NameIn(WeightStore store, string name) =>
        !store.Contains(name) && CheckpointParameters.TextEncoderNames.TryGetValue(name, out string? other) && store.Contains(other) ? other : name;

    /// <exception cref="SoraException">The file cannot be copied.</exception>
    private static void Copy(string file, string copy)
    {
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SoraException($"{file} cannot be copied: {e.Message}", e);
        }
    }

    private static void Write(WeightStore store, string name, ScalarType type, Stream stream)
    {
        using IDisposable noGradients = no_grad();
        using DisposeScope scope = NewDisposeScope();
        TensorData.Write(store.Read(name, type, CPU), type, stream);
    }
}
