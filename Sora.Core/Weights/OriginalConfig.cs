namespace Sora.Weights;

/// <summary>
/// The transformer's <c>config.json</c> in the original release (<c>_class_name: WanModel</c>), which names dimensions in its
/// own way and leaves out what the code had as a default.
/// </summary>
internal sealed record OriginalConfig
{
    /// <summary>The value of <c>_class_name</c>.</summary>
    public const string ClassName = "WanModel";

    private const string FileName = "config.json";

    private readonly List<(string Field, int Value, Func<WanTransformerConfig, int> Of)> _dimensions = [];

    /// <summary>The file.</summary>
    public required string Path { get; init; }

    /// <summary>What the model makes: <c>t2v</c>, <c>i2v</c>, <c>flf2v</c>, <c>ti2v</c>.</summary>
    public string? ModelType { get; init; }

    /// <summary>Attention heads.</summary>
    public required int Heads { get; init; }

    /// <summary>The norms' epsilon.</summary>
    public required double Epsilon { get; init; }

    /// <summary>The tokens that a prompt is filled up to.</summary>
    public required int TextLength { get; init; }

    /// <summary>Fields that Sora does not know.</summary>
    public required ValueList<string> UnknownFields { get; init; }

    /// <summary>Reads the file in a folder; null where there is none, or one of something else.</summary>
    /// <exception cref="SoraException">The file cannot be read or is not valid.</exception>
    public static OriginalConfig? Find(string folder)
    {
        string path = System.IO.Path.Combine(folder, FileName);
        return File.Exists(path)
            ? ConfigFile.Load<OriginalConfig?>(path, fields => fields.OptionalText("_class_name") == ClassName ? Read(path, fields) : null)
            : null;
    }

    /// <summary>The config of the tensors, with what only the file knows.</summary>
    /// <exception cref="SoraException">File and tensors contradict each other.</exception>
    public WanTransformerConfig Complete(WeightStore store)
    {
        WanTransformerConfig config = InferredConfigs.Transformer(store, Heads, Epsilon);
        foreach ((string field, int value, Func<WanTransformerConfig, int> of) in _dimensions)
            if (value != of(config))
                throw new SoraException($"{Path}: {field} is {value}, but the tensors of {store.Location} have {of(config)}; they do not belong together.");
        return config with { UnknownFields = UnknownFields };
    }

    private static OriginalConfig Read(string path, ConfigFields fields)
    {
        fields.WithoutEffect("window_size"); // The code reads it and attends to everything.
        fields.Unsupported("qk_norm", "true");
        fields.Unsupported("cross_attn_norm", "true");
        var config = new OriginalConfig
        {
            Path = path,
            ModelType = fields.OptionalText("model_type"),
            Heads = fields.Integer("num_heads"),
            Epsilon = fields.Number("eps", 1e-6),
            TextLength = fields.Integer("text_len", 512),
            UnknownFields = [],
        };
        config.Add(fields, "dim", transformer => transformer.InnerDim);
        config.Add(fields, "ffn_dim", transformer => transformer.FfnDim);
        config.Add(fields, "freq_dim", transformer => transformer.FreqDim);
        config.Add(fields, "in_dim", transformer => transformer.InChannels);
        config.Add(fields, "out_dim", transformer => transformer.OutChannels);
        config.Add(fields, "num_layers", transformer => transformer.NumLayers);
        config.Add(fields, "text_dim", transformer => transformer.TextDim);
        ValueList<int> patches = fields.Integers("patch_size", [1, 2, 2]);
        for (int axis = 0; axis < Math.Min(patches.Count, 3); axis++)
        {
            int place = axis;
            config._dimensions.Add(($"patch_size[{place}]", patches[place], transformer => transformer.PatchSize[place]));
        }
        return config with { UnknownFields = fields.Unknown() };
    }

    private void Add(ConfigFields fields, string field, Func<WanTransformerConfig, int> of)
    {
        if (fields.OptionalInteger(field) is { } value)
            _dimensions.Add((field, value, of));
    }
}
