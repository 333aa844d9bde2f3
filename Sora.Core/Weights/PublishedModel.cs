using Sora.Sampling;

namespace Sora.Weights;

/// <summary>
/// A published model: its configs, and what it was made for. Files without a config are recognised by it, and
/// <see cref="RandomCheckpoint"/> writes it.
/// </summary>
public sealed record PublishedModel
{
    /// <summary>The name by which commands know it, such as <c>wan2.1-t2v-1.3b</c>.</summary>
    public required string Name { get; init; }

    /// <summary>The name for people.</summary>
    public required string Title { get; init; }

    /// <summary>Its repository in the layout of diffusers; null where it has none.</summary>
    public string? Repository { get; init; }

    /// <summary>The transformer, or both of two.</summary>
    public required WanTransformerConfig Transformer { get; init; }

    /// <summary>The VAE.</summary>
    public required AutoencoderKLWanConfig Vae { get; init; }

    /// <summary>The text encoder.</summary>
    public required UMT5Config TextEncoder { get; init; }

    /// <summary>The image encoder; null where it has none.</summary>
    public ClipVisionConfig? ImageEncoder { get; init; }

    /// <summary>The share of the times at which the second transformer takes over; null in models with one.</summary>
    public double? BoundaryRatio { get; init; }

    /// <summary>What the transformer is given of a sample, and what it predicts.</summary>
    public SamplePrediction Prediction { get; init; }

    /// <summary>Whether each token has a noise level of its own.</summary>
    public bool ExpandTimesteps { get; init; }

    /// <summary>What its authors generate with.</summary>
    public required RequestDefaults Defaults { get; init; }

    /// <summary>Whether a video starts from a given image, whose latent is part of the transformer's input.</summary>
    public bool StartsFromImage => Transformer.InChannels != Transformer.OutChannels;

    /// <summary>Every published model.</summary>
    public static IReadOnlyList<PublishedModel> All => PublishedModels.All;

    /// <summary>The model of a name.</summary>
    /// <exception cref="SoraException">There is none; the message lists all and names the nearest.</exception>
    public static PublishedModel Find(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (All.FirstOrDefault(model => string.Equals(model.Name, name, StringComparison.OrdinalIgnoreCase)) is { } found)
            return found;
        string[] names = [.. All.Select(model => model.Name)];
        string nearest = NearestName.Find(name, names) is { } near ? $"; nearest: {near}" : "";
        throw new SoraException($"There is no model '{name}'; known: {string.Join(", ", names)}{nearest}.");
    }

    /// <summary>The model that has this transformer, or two of it; null where none is published.</summary>
    internal static PublishedModel? Of(WanTransformerConfig transformer, bool twoExperts)
    {
        WanTransformerConfig shape = transformer with { UnknownFields = [] };
        return All.FirstOrDefault(model => model.Transformer == shape && model.BoundaryRatio is not null == twoExperts);
    }

    /// <summary>The index that the model is published with.</summary>
    internal ModelIndex Index => ModelIndex.For(ImageEncoder is not null, BoundaryRatio is not null, StartsFromImage) with
    {
        BoundaryRatio = BoundaryRatio,
        ExpandTimesteps = ExpandTimesteps,
    };
}
