namespace Sora.Weights;

/// <summary>
/// The shape of the image encoder: <c>config.json</c> of a <c>CLIPVisionModel</c>, with the names and defaults of
/// transformers (Radford et al. 2021, arXiv 2103.00020); sizes have no default.
/// </summary>
/// <exception cref="SoraException">A value lies outside its range; the message names field and range.</exception>
public sealed record ClipVisionConfig : ModelConfig
{
    /// <summary>The class, as <c>architectures</c> and <c>model_index.json</c> name it.</summary>
    public const string ClassName = "CLIPVisionModel";

    /// <summary><see cref="HiddenAct"/> with the error function.</summary>
    public const string Gelu = "gelu";

    /// <summary><see cref="HiddenAct"/> x·sigmoid(1.702·x).</summary>
    public const string QuickGelu = "quick_gelu";

    private const string ModelType = "clip_vision_model";
    private const int LargestWidth = 1 << 20;

    /// <summary>Width of a token.</summary>
    /// <value>1 to 1048576, a multiple of <see cref="NumAttentionHeads"/>; 1280 in ViT-H/14.</value>
    public required int HiddenSize { get; init => field = Within(value, 1, LargestWidth, "hidden_size"); }

    /// <summary>Inner width of the feed-forward layers.</summary>
    /// <value>1 to 1048576; 5120 in ViT-H/14.</value>
    public required int IntermediateSize { get; init => field = Within(value, 1, LargestWidth, "intermediate_size"); }

    /// <summary>Layers.</summary>
    /// <value>1 to 1024; 32 in ViT-H/14.</value>
    public required int NumHiddenLayers { get; init => field = Within(value, 1, 1024, "num_hidden_layers"); }

    /// <summary>Attention heads.</summary>
    /// <value>1 to 1024; 16 in ViT-H/14.</value>
    public required int NumAttentionHeads { get; init => field = Within(value, 1, 1024, "num_attention_heads"); }

    /// <summary>Width and height of an image in pixels.</summary>
    /// <value>1 to 16384, a multiple of <see cref="PatchSize"/>; 224 in ViT-H/14.</value>
    public required int ImageSize { get; init => field = Within(value, 1, 1 << 14, "image_size"); }

    /// <summary>Width and height of a patch in pixels.</summary>
    /// <value>1 to 1024; 14 in ViT-H/14.</value>
    public required int PatchSize { get; init => field = Within(value, 1, 1024, "patch_size"); }

    /// <summary>Channels of an image.</summary>
    /// <value>Only 3.</value>
    public int NumChannels { get; init => field = Within(value, 3, 3, "num_channels"); } = 3;

    /// <summary>What follows the first feed-forward layer.</summary>
    /// <value><see cref="Gelu"/> (ViT-H/14) or <see cref="QuickGelu"/> (OpenAI's own models).</value>
    public string HiddenAct { get; init => field = OneOf(value, "hidden_act", Gelu, QuickGelu); } = QuickGelu;

    /// <summary>Added to the variance inside the norms.</summary>
    /// <value>1e-12 to 0.1.</value>
    public double LayerNormEps { get; init => field = Within(value, 1e-12, 0.1, "layer_norm_eps"); } = 1e-5;

    /// <summary>Width of the space that CLIP shares between images and texts; Sora does not enter it.</summary>
    /// <value>1 to 1048576; 1024 in ViT-H/14.</value>
    public int ProjectionDim { get; init => field = Within(value, 1, LargestWidth, "projection_dim"); } = 512;

    /// <summary>Tokens of an image: its patches, and the class token before them.</summary>
    /// <value>257 in ViT-H/14.</value>
    public int TokenCount => ((ImageSize / PatchSize) * (ImageSize / PatchSize)) + 1;

    /// <summary>Reads a <c>config.json</c>.</summary>
    /// <exception cref="SoraException">
    /// The file cannot be read or is not valid; the message names file, field and range.
    /// </exception>
    public static ClipVisionConfig Load(string path) => ConfigFile.Load(path, Read);

    /// <summary>Reads the text of a <c>config.json</c>; <paramref name="source"/> names it in messages.</summary>
    /// <exception cref="SoraException">The text is not valid; the message names field and range.</exception>
    public static ClipVisionConfig Parse(string json, string source = "config.json") => ConfigFile.Parse(json, source, Read);

    /// <inheritdoc/>
    public override void Validate()
    {
        RequireMultiple(HiddenSize, "hidden_size", NumAttentionHeads, "num_attention_heads");
        RequireMultiple(ImageSize, "image_size", PatchSize, "patch_size");
    }

    private static ClipVisionConfig Read(ConfigFields fields)
    {
        OneOf(fields.Text("model_type"), "model_type", ModelType);
        // Dropout and initialisation are matters of training.
        fields.WithoutEffect("architectures", "attention_dropout", "dropout", "dtype", "initializer_factor", "initializer_range",
            "torch_dtype", "transformers_version");
        return new ClipVisionConfig
        {
            HiddenSize = fields.Integer("hidden_size"),
            IntermediateSize = fields.Integer("intermediate_size"),
            NumHiddenLayers = fields.Integer("num_hidden_layers"),
            NumAttentionHeads = fields.Integer("num_attention_heads"),
            ImageSize = fields.Integer("image_size"),
            PatchSize = fields.Integer("patch_size"),
            NumChannels = fields.Integer("num_channels", 3),
            HiddenAct = fields.Text("hidden_act", QuickGelu),
            LayerNormEps = fields.Number("layer_norm_eps", 1e-5),
            ProjectionDim = fields.Integer("projection_dim", 512),
            UnknownFields = fields.Unknown(),
        };
    }

    private protected override void Write(SortedDictionary<string, object?> fields)
    {
        fields["architectures"] = ValueList.Create([ClassName]);
        fields["attention_dropout"] = 0.0;
        fields["dropout"] = 0.0;
        fields["hidden_act"] = HiddenAct;
        fields["hidden_size"] = HiddenSize;
        fields["image_size"] = ImageSize;
        fields["initializer_factor"] = 1.0;
        fields["initializer_range"] = 0.02;
        fields["intermediate_size"] = IntermediateSize;
        fields["layer_norm_eps"] = LayerNormEps;
        fields["model_type"] = ModelType;
        fields["num_attention_heads"] = NumAttentionHeads;
        fields["num_channels"] = NumChannels;
        fields["num_hidden_layers"] = NumHiddenLayers;
        fields["patch_size"] = PatchSize;
        fields["projection_dim"] = ProjectionDim;
        fields["torch_dtype"] = "float32";
        fields["transformers_version"] = "4.48.0.dev0";
    }

    private static void RequireMultiple(int value, string field, int of, string ofField)
    {
        if (value % of == 0)
            return;
        int below = value / of * of;
        string nearest = below > 0 ? $"{below}, {below + of}" : $"{below + of}";
        throw new SoraException($"{field} {value} is not a multiple of {ofField} {of}; nearest: {nearest}.");
    }
}
