namespace Sora.Weights;

/// <summary>What a path holds: its networks, what it was made for, and what keeps it from being used.</summary>
public sealed record ModelInspection
{
    /// <summary>The path as it was given.</summary>
    public required string Path { get; init; }

    /// <summary>The published model that has these dimensions; null where there is none.</summary>
    public PublishedModel? Published { get; init; }

    /// <summary>The model; null where <see cref="Problem"/> says why it cannot be opened.</summary>
    public ModelFolder? Model { get; init; }

    /// <summary>Its networks, also of a model that is not complete.</summary>
    public required IReadOnlyList<NetworkInspection> Networks { get; init; }

    /// <summary>What is missing or wrong, as one sentence; null for a model that can be used.</summary>
    public string? Problem { get; init; }

    /// <summary>Looks at a folder or a file.</summary>
    /// <exception cref="SoraException">There is nothing at the path, or nothing that Sora knows.</exception>
    public static ModelInspection Of(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ModelFolder? model = null;
        SoraException? problem = null;
        try
        {
            model = ModelFolder.Open(path);
        }
        catch (SoraException e)
        {
            problem = e; // An incomplete model is what this is for; it is told with what there is.
        }
        (string Part, NetworkFiles Files)[] found = model is not null
            ? [.. model.Networks.Select(network => (network.Key, network.Value))]
            : [.. ModelFileScan.Of(path).Networks.Select(network => (PartOf(network), network))];
        if (found.Length == 0 && problem is not null)
            throw problem;
        NetworkInspection[] networks = [.. found.Select(network => NetworkInspection.Of(network.Part, network.Files))];
        return new ModelInspection
        {
            Path = path,
            Model = model,
            Published = model is null ? PublishedOf(found.Select(network => network.Files)) : PublishedModel.Of(model.Transformer, model.Transformer2 is not null),
            Networks = networks,
            Problem = problem?.Message ?? networks.Select(network => network.Problem).FirstOrDefault(text => text is not null),
        };
    }

    /// <summary>
    /// The memory that a generation takes at its peak, by stage, in bytes: the weights in bfloat16 (the VAE's in float32), and
    /// what is computed at once. A rough sum; an estimate of a request measures more.
    /// </summary>
    /// <param name="width">In pixels.</param>
    /// <param name="height">In pixels.</param>
    /// <param name="frames">The number of frames.</param>
    /// <exception cref="InvalidOperationException">The model is not complete.</exception>
    public IReadOnlyList<(string Part, long Bytes)> MemoryNeeded(int width, int height, int frames)
    {
        ModelFolder model = Model ?? throw new InvalidOperationException("The model is not complete.");
        long t = ((frames - 1) / model.TemporalStride) + 1, h = height / model.Vae.SpatialStride, w = width / model.Vae.SpatialStride;
        long tokens = t * (h / model.Transformer.PatchSize[1]) * (w / model.Transformer.PatchSize[2]);
        // A block holds the residual stream and its branch in float32, queries, keys, values and attention in bfloat16, and the inner
        // width of the feed-forward layer; one text after the other.
        long block = tokens * ((model.Transformer.InnerDim * 16L) + (model.Transformer.FfnDim * 4L));
        // The decoder's last level, in float32, for the frames of one latent frame: input, normalised, output and a copy.
        int patch = model.Vae.PatchSize ?? 1;
        long level = (long)width * height * model.TemporalStride / (patch * patch) * model.Vae.DecoderWidth * model.Vae.DimMult[0] * 4 * 4;
        return
        [
            .. Networks.Where(network => network.Part != "transformer_2").Select(network =>
                (network.Part, Bytes: (network.Parameters * (network.Kind == NetworkKind.Vae ? 4 : 2))
                    + (network.Kind == NetworkKind.Transformer ? block : network.Kind == NetworkKind.Vae ? level : 0))),
        ];
    }

    private static string PartOf(NetworkFiles files) => files.Kind switch
    {
        NetworkKind.Transformer => "transformer",
        NetworkKind.TextEncoder => "text_encoder",
        NetworkKind.ImageEncoder => "image_encoder",
        _ => "vae",
    };

    private static PublishedModel? PublishedOf(IEnumerable<NetworkFiles> found)
    {
        NetworkFiles[] transformers = [.. found.Where(files => files.Kind == NetworkKind.Transformer)];
        try
        {
            return transformers.Length == 0 ? null : PublishedModel.Of(ModelFileReader.TransformerConfig(transformers[0]), transformers.Length == 2);
        }
        catch (SoraException)
        {
            return null; // Told by the network's own inspection.
        }
    }
}

/// <summary>What the files of one network hold.</summary>
/// <param name="Part">The part of the model that it is.</param>
/// <param name="Kind">Which network it is.</param>
/// <param name="Path">Its folder or file.</param>
/// <param name="Names">Whose names its tensors have: <c>diffusers</c>, <c>original</c>, <c>llama.cpp</c>.</param>
/// <param name="Parameters">How many numbers it has.</param>
/// <param name="Formats">How many of them are stored in each format, in the files' words, the most frequent first.</param>
/// <param name="FileBytes">The size of its files.</param>
/// <param name="Problem">Why it cannot be used; null where it can.</param>
public sealed record NetworkInspection(
    string Part, NetworkKind Kind, string Path, string Names, long Parameters, IReadOnlyList<KeyValuePair<string, long>> Formats, long FileBytes, string? Problem)
{
    internal static NetworkInspection Of(string part, NetworkFiles files)
    {
        try
        {
            using WeightStore store = files.Open();
            var formats = new Dictionary<string, long>();
            foreach (string name in store.Names.Where(name => name != "spiece_model"))
            {
                long count = store.ShapeOf(name).Aggregate(1L, (a, b) => a * b);
                string format = store.StoredTypeOf(name);
                formats[format] = formats.GetValueOrDefault(format) + count;
            }
            return new(part, files.Kind, files.Path, files.Naming.Author, formats.Values.Sum(),
                [.. formats.OrderByDescending(format => format.Value)], files.ByteLength, null);
        }
        catch (SoraException e)
        {
            return new(part, files.Kind, files.Path, files.Naming.Author, 0, [], 0, e.Message);
        }
    }
}
