namespace Sora.Weights;

/// <summary>
/// The shape of the diffusion transformer: <c>config.json</c> of a <c>WanTransformer3DModel</c>. Names and defaults are
/// those of diffusers; sizes have no default, a file without them is not a model.
/// </summary>
/// <exception cref="SoraException">A value lies outside its range; the message names field and range.</exception>
public sealed record WanTransformerConfig : ModelConfig
{
    /// <summary>The value of <c>_class_name</c>.</summary>
    public const string ClassName = "WanTransformer3DModel";

    // Far above every published model, far below where products of sizes overflow.
    private const int LargestWidth = 1 << 20;
    private const int MostLayers = 1024;

    private const string NormAcrossHeads = "rms_norm_across_heads";

    /// <summary>Latent frames, rows and columns that one patch covers.</summary>
    /// <value>Three numbers from 1 to 64; [1, 2, 2] in every published model.</value>
    public ValueList<int> PatchSize { get; init => field = AllWithin(value, (3, 3), (1, 64), "patch_size"); } = [1, 2, 2];

    /// <summary>Attention heads.</summary>
    /// <value>1 to 1024; 12 in Wan 2.1 1.3B, 40 in 14B.</value>
    public required int NumAttentionHeads { get; init => field = Within(value, 1, 1024, "num_attention_heads"); }

    /// <summary>Channels a head; rotary positions turn them in pairs, a third of them for each axis.</summary>
    /// <value>An even number from 6 to 1024; 128 in every published model.</value>
    public required int AttentionHeadDim { get; init => field = HeadDim(value); }

    /// <summary>
    /// Channels of the input: the latent's, and those of a conditioning latent and mask where the model takes them.
    /// </summary>
    /// <value>1 to 1048576; 16 for text to video, 36 for Wan 2.1 image to video.</value>
    public required int InChannels { get; init => field = Within(value, 1, LargestWidth, "in_channels"); }

    /// <summary>Channels of the velocity: the latent's.</summary>
    /// <value>1 to 1048576.</value>
    public required int OutChannels { get; init => field = Within(value, 1, LargestWidth, "out_channels"); }

    /// <summary>Width of the text encoder's output.</summary>
    /// <value>1 to 1048576; 4096 for UMT5-XXL.</value>
    public required int TextDim { get; init => field = Within(value, 1, LargestWidth, "text_dim"); }

    /// <summary>Channels of the sinusoid that encodes the time, half cosines and half sines.</summary>
    /// <value>An even number from 2 to 1048576.</value>
    public int FreqDim { get; init => field = Even(Within(value, 2, LargestWidth, "freq_dim"), "freq_dim"); } = 256;

    /// <summary>Inner width of the feed-forward layers.</summary>
    /// <value>1 to 1048576.</value>
    public required int FfnDim { get; init => field = Within(value, 1, LargestWidth, "ffn_dim"); }

    /// <summary>Transformer blocks.</summary>
    /// <value>1 to 1024.</value>
    public required int NumLayers { get; init => field = Within(value, 1, MostLayers, "num_layers"); }

    /// <summary>Whether the norm before cross-attention is there, with weight and bias.</summary>
    public bool CrossAttnNorm { get; init; } = true;

    /// <summary>How queries and keys are normalised.</summary>
    /// <value>Only <c>rms_norm_across_heads</c>.</value>
    public string QkNorm { get; init => field = OneOf(value, "qk_norm", NormAcrossHeads); } = NormAcrossHeads;

    /// <summary>Added to the mean square inside the norms.</summary>
    /// <value>1e-12 to 0.1.</value>
    public double Eps { get; init => field = Within(value, 1e-12, 0.1, "eps"); } = 1e-6;

    /// <summary>Width of the image encoder's output; null where the model takes no image tokens.</summary>
    public int? ImageDim { get; init => field = Within(value, 1, LargestWidth, "image_dim"); }

    /// <summary>Width of the image tokens in cross-attention; null together with <see cref="ImageDim"/>.</summary>
    /// <value><see cref="InnerDim"/>.</value>
    public int? AddedKvProjDim { get; init => field = Within(value, 1, LargestWidth, "added_kv_proj_dim"); }

    /// <summary>The longest axis of patches that has rotary positions.</summary>
    /// <value>1 to 1048576.</value>
    public int RopeMaxSeqLen { get; init => field = Within(value, 1, 1 << 20, "rope_max_seq_len"); } = 1024;

    /// <summary>
    /// Learned positions of the image tokens of a first and a last frame together; null in other models.
    /// </summary>
    /// <value>An even number from 2 to 1048576; 514 in the published model.</value>
    public int? PosEmbedSeqLen
    {
        get;
        init => field = Within(value, 2, 1 << 20, "pos_embed_seq_len") is { } length
            ? Even(length, "pos_embed_seq_len")
            : null;
    }

    /// <summary>
    /// Sora's own: the waves along each side of a subject's drawing by which the network is told what a cell of the semantic map, the last channels of
    /// its input, looks like; null: the map is read as it is.
    /// </summary>
    /// <value>1 to 16. Default null.</value>
    public int? MapHarmonics { get; init => field = Within(value, 1, 16, "map_harmonics"); }

    /// <summary>How many times as large as the other channels the map's are (<see cref="Sampling.ChannelLead"/>), which says how noisy it is.</summary>
    /// <value>1 to 1000. Default 1. Read where there are <see cref="MapHarmonics"/>.</value>
    public double MapGain { get; init => field = Sampling.ChannelLead.Gains.Require("map_gain", value)!.Value; } = 1;

    /// <summary>Whether the network is also told what the cells of a mirrored and of a turned drawing look like.</summary>
    /// <value>Default false. With <see cref="MapHarmonics"/> only.</value>
    public bool MapTurns { get; init; }

    /// <summary>
    /// The numbers that each point of a subject's drawing has, of which the network is told those at the points around what a cell of the map shows, turned and mirrored as the drawing is; null:
    /// it is told the cell's own point.
    /// </summary>
    /// <value>1 to 1024. Default null. With <see cref="MapHarmonics"/> only.</value>
    public int? MapSamples { get; init => field = Within(value, 1, 1024, "map_samples"); }

    /// <summary>D, the width of a token: heads times channels a head.</summary>
    public int InnerDim => NumAttentionHeads * AttentionHeadDim;

    /// <summary>Reads a <c>config.json</c>.</summary>
    /// <exception cref="SoraException">
    /// The file cannot be read or is not valid; the message names file, field and range.
    /// </exception>
    public static WanTransformerConfig Load(string path) => ConfigFile.Load(path, Read);

    /// <summary>Reads the text of a <c>config.json</c>; <paramref name="source"/> names it in messages.</summary>
    /// <exception cref="SoraException">The text is not valid; the message names field and range.</exception>
    public static WanTransformerConfig Parse(string json, string source = "config.json") =>
        ConfigFile.Parse(json, source, Read);

    /// <inheritdoc/>
    public override void Validate()
    {
        if (ImageDim is null != AddedKvProjDim is null)
            throw new SoraException($"image_dim is {Show(ImageDim)} and added_kv_proj_dim is {Show(AddedKvProjDim)}; "
                + "a model with image tokens has both, one without has neither.");
        if (AddedKvProjDim is { } width && width != InnerDim)
            throw new SoraException(
                $"added_kv_proj_dim is {width}; allowed: num_attention_heads x attention_head_dim = {InnerDim}.");
        if (PosEmbedSeqLen is { } length && ImageDim is null)
            throw new SoraException(
                $"pos_embed_seq_len is {length} and image_dim is null; only image tokens have learned positions.");
        if (MapHarmonics is null)
        {
            if (MapTurns)
                throw new SoraException("map_turns is true and map_harmonics is null; allowed: false, or map_harmonics from 1 to 16.");
            if (MapSamples is not null)
                throw new SoraException($"map_samples is {MapSamples} and map_harmonics is null; allowed: null, or map_harmonics from 1 to 16.");
            return;
        }
        if (PatchSize.Any(extent => extent != 1))
            throw new SoraException($"map_harmonics is {MapHarmonics} and patch_size is {PatchSize}; allowed: 1x1x1, where a token is a cell of the map.");
        int map = Training.SpriteWorld.SemanticMap.Channels;
        if (InChannels <= map)
            throw new SoraException($"map_harmonics is {MapHarmonics} and in_channels is {InChannels}; allowed: more than the {map} of the map.");
    }

    private static WanTransformerConfig Read(ConfigFields fields)
    {
        OneOf(fields.Text("_class_name"), "_class_name", ClassName);
        int inChannels = fields.Integer("in_channels");
        return new WanTransformerConfig
        {
            PatchSize = fields.Integers("patch_size"),
            NumAttentionHeads = fields.Integer("num_attention_heads"),
            AttentionHeadDim = fields.Integer("attention_head_dim"),
            InChannels = inChannels,
            OutChannels = fields.Integer("out_channels", inChannels),
            TextDim = fields.Integer("text_dim"),
            FreqDim = fields.Integer("freq_dim"),
            FfnDim = fields.Integer("ffn_dim"),
            NumLayers = fields.Integer("num_layers"),
            CrossAttnNorm = fields.Flag("cross_attn_norm", true),
            QkNorm = fields.Text("qk_norm", NormAcrossHeads),
            Eps = fields.Number("eps", 1e-6),
            ImageDim = fields.OptionalInteger("image_dim"),
            AddedKvProjDim = fields.OptionalInteger("added_kv_proj_dim"),
            RopeMaxSeqLen = fields.Integer("rope_max_seq_len", 1024),
            PosEmbedSeqLen = fields.OptionalInteger("pos_embed_seq_len"),
            MapHarmonics = fields.OptionalInteger("map_harmonics"),
            MapGain = fields.Number("map_gain", 1),
            MapTurns = fields.Flag("map_turns", false),
            MapSamples = fields.OptionalInteger("map_samples"),
            UnknownFields = fields.Unknown(),
        };
    }

    private protected override void Write(SortedDictionary<string, object?> fields)
    {
        fields["_class_name"] = ClassName;
        fields["_diffusers_version"] = ModelIndex.DiffusersVersion;
        fields["added_kv_proj_dim"] = AddedKvProjDim;
        fields["attention_head_dim"] = AttentionHeadDim;
        fields["cross_attn_norm"] = CrossAttnNorm;
        fields["eps"] = Eps;
        fields["ffn_dim"] = FfnDim;
        fields["freq_dim"] = FreqDim;
        fields["image_dim"] = ImageDim;
        fields["in_channels"] = InChannels;
        if (MapHarmonics is not null)
        {
            fields["map_harmonics"] = MapHarmonics;
            fields["map_gain"] = MapGain;
            if (MapTurns)
                fields["map_turns"] = MapTurns;
            if (MapSamples is not null)
                fields["map_samples"] = MapSamples;
        }
        fields["num_attention_heads"] = NumAttentionHeads;
        fields["num_layers"] = NumLayers;
        fields["out_channels"] = OutChannels;
        fields["patch_size"] = PatchSize;
        fields["pos_embed_seq_len"] = PosEmbedSeqLen;
        fields["qk_norm"] = QkNorm;
        fields["rope_max_seq_len"] = RopeMaxSeqLen;
        fields["text_dim"] = TextDim;
    }

    private static int HeadDim(int value) =>
        value is >= 6 and <= 1024 && value % 2 == 0
            ? value
            : throw new SoraException($"attention_head_dim is {value}; allowed: even numbers from 6 to 1024.");

    private static int Even(int value, string field) =>
        value % 2 == 0
            ? value
            : throw new SoraException(
                $"{field} is {value}; allowed: even numbers; nearest: {value - 1}, {value + 1}.");

    private static string Show(int? value) => value is { } number ? $"{number}" : "null";
}
