using Sora.Conditioning;
using Sora.Estimation;
using Sora.Sampling;

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
            Problem = problem?.Message ?? ProblemOfFewSteps(model) ?? networks.Select(network => network.Problem).FirstOrDefault(text => text is not null),
        };
    }

    /// <summary>
    /// The memory of a generation's stages in bfloat16, every part loaded for its stage alone: the sums of
    /// <see cref="VideoGenerator.Estimate"/>, without those layers that a machine would stream for lack of memory.
    /// </summary>
    /// <param name="request">A request; what it leaves open is the model's.</param>
    /// <exception cref="SoraException">The model cannot make what is asked for.</exception>
    /// <exception cref="InvalidOperationException">The model is not complete.</exception>
    public IReadOnlyList<StageMemory> MemoryNeeded(VideoRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        ModelFolder model = Model ?? throw new InvalidOperationException("The model is not complete.");
        // Only the size counts: a model that starts from a picture is not asked for one.
        VideoRequest resolved = request.Resolve(model.LimitsOf(null) with { KnownFrames = KnownFrameRule.Any });
        return new GenerationCost(model, bfloat16, keep: false, _ => false).Memory(resolved, Guidance.BranchesOf(resolved), available: null);
    }

    private static string? ProblemOfFewSteps(ModelFolder? model)
    {
        try
        {
            if (model?.Defaults.FewSteps is not null)
                _ = model.RequireFewStepsLora();
            return null;
        }
        catch (SoraException e)
        {
            return e.Message;
        }
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
