namespace Sora.Weights;

/// <summary>Whose names the tensors of a network have in its files.</summary>
/// <param name="Author">For people: <c>diffusers</c>, <c>original</c>, <c>llama.cpp</c>.</param>
/// <param name="Table">The table that leads to the names of diffusers; null where the files have those.</param>
/// <param name="Prefix">What stands before every name; often empty.</param>
internal sealed record NetworkNaming(string Author, NameTable? Table, string Prefix = "")
{
    /// <summary>The published names.</summary>
    public static NetworkNaming Diffusers { get; } = new("diffusers", null);

    /// <summary>
    /// Tensors that are in files of the published networks and that Sora has no use for: CLIP's half for texts and its projection
    /// to the common space, positions that are counted, and the tokenizer that ComfyUI puts into the text encoder's file.
    /// </summary>
    private static readonly string[] NotUsed =
    [
        "textual.", "text_model.", "text_projection.", "visual_projection.", "visual.head", "log_scale", "logit_scale",
        "vision_model.embeddings.position_ids", "spiece_model", "tekken_model",
    ];

    /// <summary>The tensors of a store under the names of diffusers; the store belongs to the result.</summary>
    /// <exception cref="SoraException">The files hold tensors that are no part of the network: it is another one.</exception>
    public WeightStore Apply(WeightStore store)
    {
        if (Table is null && Prefix.Length == 0)
            return store;
        if (Table?.Rows.Any(row => row.Parts > 1 || row.Axes is not null) == true)
            return new SplitStore(store, Table, IsNotUsed);
        var renamed = new RenamedStore(store, Rename);
        string[] strange = [.. renamed.UnrecognizedNames.Where(name => !IsNotUsed(name))];
        if (strange.Length == 0)
            return renamed;
        renamed.Dispose();
        throw Strange(store.Location, strange);
    }

    /// <summary>Names a network that has more parts than Sora's.</summary>
    internal static SoraException Strange(string location, IReadOnlyCollection<string> names) =>
        new($"{location}: {names.Count} tensors are no part of a network that Sora has, so this is a variant that it cannot run: "
            + $"{ModelFolder.Listing([.. names.Take(4)])}{(names.Count > 4 ? ", …" : "")}.");

    private static bool IsNotUsed(string name) =>
        NotUsed.Any(beginning => name.StartsWith(beginning, StringComparison.Ordinal));

    private string? Rename(string stored)
    {
        if (!stored.StartsWith(Prefix, StringComparison.Ordinal))
            return null;
        string name = stored[Prefix.Length..];
        return Table is null ? name : Table.ToDiffusers(name);
    }
}
