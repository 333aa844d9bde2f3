namespace Sora.Weights;

/// <summary>
/// The shape of the text encoder: <c>config.json</c> of a <c>UMT5EncoderModel</c>, with the names of transformers
/// (Chung et al. 2023, arXiv 2304.09151).
/// </summary>
/// <exception cref="SoraException">A value lies outside its range; the message names field and range.</exception>
public sealed record UMT5Config : ModelConfig
{
    /// <summary>The class, as <c>architectures</c> and <c>model_index.json</c> name it.</summary>
    public const string ClassName = "UMT5EncoderModel";

    private const string ModelType = "umt5";
    private const int LargestWidth = 1 << 20;

    /// <summary>Width of the embeddings and of the output.</summary>
    /// <value>1 to 1048576; 4096 in UMT5-XXL.</value>
    public required int DModel { get; init => field = Within(value, 1, LargestWidth, "d_model"); }

    /// <summary>Channels a head; heads times channels need not be <see cref="DModel"/>.</summary>
    /// <value>1 to 65536; 64 in UMT5-XXL.</value>
    public required int DKv { get; init => field = Within(value, 1, 1 << 16, "d_kv"); }

    /// <summary>Inner width of the feed-forward layers.</summary>
    /// <value>1 to 1048576; 10240 in UMT5-XXL.</value>
    public required int DFf { get; init => field = Within(value, 1, LargestWidth, "d_ff"); }

    /// <summary>Attention heads.</summary>
    /// <value>1 to 1024; 64 in UMT5-XXL.</value>
    public required int NumHeads { get; init => field = Within(value, 1, 1024, "num_heads"); }

    /// <summary>Encoder blocks.</summary>
    /// <value>1 to 1024; 24 in UMT5-XXL.</value>
    public required int NumLayers { get; init => field = Within(value, 1, 1024, "num_layers"); }

    /// <summary>Rows of the embedding table; the tokenizer may use fewer.</summary>
    /// <value>1 to 16777216; 256384 in UMT5-XXL.</value>
    public required int VocabSize { get; init => field = Within(value, 1, 1 << 24, "vocab_size"); }

    /// <summary>Classes of distances that have a bias of their own, half of them for each direction.</summary>
    /// <value>A multiple of 4 from 4 to 65536.</value>
    public int RelativeAttentionNumBuckets { get; init => field = Buckets(value); } = 32;

    /// <summary>The distance from which on all are in the last class.</summary>
    /// <value>More than a quarter of <see cref="RelativeAttentionNumBuckets"/>, up to 1048576.</value>
    public int RelativeAttentionMaxDistance
    {
        get;
        init => field = Within(value, 2, 1 << 20, "relative_attention_max_distance");
    } = 128;

    /// <summary>Added to the mean square inside the norms.</summary>
    /// <value>1e-12 to 0.1.</value>
    public double LayerNormEpsilon { get; init => field = Within(value, 1e-12, 0.1, "layer_norm_epsilon"); } = 1e-6;

    /// <summary>The feed-forward layer's form.</summary>
    /// <value>Only <c>gated-gelu</c>, with the tanh approximation of GELU.</value>
    public string FeedForwardProj { get; init => field = OneOf(value, "feed_forward_proj", "gated-gelu"); } = "gated-gelu";

    /// <summary>Share of activations dropped in training.</summary>
    /// <value>0 to 0.99.</value>
    public double DropoutRate { get; init => field = Within(value, 0, 0.99, "dropout_rate"); } = 0.1;

    /// <summary>The token that fills short sequences.</summary>
    public int PadTokenId { get; init => field = Within(value, 0, 1 << 24, "pad_token_id"); }

    /// <summary>The token that ends every text.</summary>
    public int EosTokenId { get; init => field = Within(value, 0, 1 << 24, "eos_token_id"); } = 1;

    /// <summary>Reads a <c>config.json</c>.</summary>
    /// <exception cref="SoraException">
    /// The file cannot be read or is not valid; the message names file, field and range.
    /// </exception>
    public static UMT5Config Load(string path) => ConfigFile.Load(path, Read);

    /// <summary>Reads the text of a <c>config.json</c>; <paramref name="source"/> names it in messages.</summary>
    /// <exception cref="SoraException">The text is not valid; the message names field and range.</exception>
    public static UMT5Config Parse(string json, string source = "config.json") => ConfigFile.Parse(json, source, Read);

    /// <inheritdoc/>
    public override void Validate()
    {
        // Half the classes of a direction hold one distance each, the others grow logarithmically up to the maximum.
        if (RelativeAttentionMaxDistance <= RelativeAttentionNumBuckets / 4)
            throw new SoraException($"relative_attention_max_distance is {RelativeAttentionMaxDistance}; "
                + $"relative_attention_num_buckets {RelativeAttentionNumBuckets} allows {(RelativeAttentionNumBuckets / 4) + 1} and more.");
        RequireToken(PadTokenId, "pad_token_id");
        RequireToken(EosTokenId, "eos_token_id");
    }

    private static UMT5Config Read(ConfigFields fields)
    {
        // T5 and mT5 share the fields, but only their first layer has a position bias.
        OneOf(fields.Text("model_type"), "model_type", ModelType);
        fields.Unsupported("is_gated_act", "true");
        OneOf(fields.Text("dense_act_fn", "gelu_new"), "dense_act_fn", "gelu_new");
        fields.WithoutEffect("architectures", "classifier_dropout", "decoder_start_token_id", "dtype", "initializer_factor",
            "is_encoder_decoder", "num_decoder_layers", "output_past", "scalable_attention", "tie_word_embeddings",
            "tokenizer_class", "torch_dtype", "transformers_version", "use_cache");
        return new UMT5Config
        {
            DModel = fields.Integer("d_model"),
            DKv = fields.Integer("d_kv"),
            DFf = fields.Integer("d_ff"),
            NumHeads = fields.Integer("num_heads"),
            NumLayers = fields.Integer("num_layers"),
            VocabSize = fields.Integer("vocab_size"),
            RelativeAttentionNumBuckets = fields.Integer("relative_attention_num_buckets", 32),
            RelativeAttentionMaxDistance = fields.Integer("relative_attention_max_distance", 128),
            LayerNormEpsilon = fields.Number("layer_norm_epsilon", 1e-6),
            FeedForwardProj = fields.Text("feed_forward_proj", "gated-gelu"),
            DropoutRate = fields.Number("dropout_rate", 0.1),
            PadTokenId = fields.Integer("pad_token_id", 0),
            EosTokenId = fields.Integer("eos_token_id", 1),
            UnknownFields = fields.Unknown(),
        };
    }

    private protected override void Write(SortedDictionary<string, object?> fields)
    {
        fields["architectures"] = ValueList.Create([ClassName]);
        fields["classifier_dropout"] = 0.0;
        fields["d_ff"] = DFf;
        fields["d_kv"] = DKv;
        fields["d_model"] = DModel;
        fields["decoder_start_token_id"] = PadTokenId;
        fields["dense_act_fn"] = "gelu_new";
        fields["dropout_rate"] = DropoutRate;
        fields["eos_token_id"] = EosTokenId;
        fields["feed_forward_proj"] = FeedForwardProj;
        fields["initializer_factor"] = 1.0;
        fields["is_encoder_decoder"] = true;
        fields["is_gated_act"] = true;
        fields["layer_norm_epsilon"] = LayerNormEpsilon;
        fields["model_type"] = ModelType;
        fields["num_decoder_layers"] = NumLayers;
        fields["num_heads"] = NumHeads;
        fields["num_layers"] = NumLayers;
        fields["output_past"] = true;
        fields["pad_token_id"] = PadTokenId;
        fields["relative_attention_max_distance"] = RelativeAttentionMaxDistance;
        fields["relative_attention_num_buckets"] = RelativeAttentionNumBuckets;
        fields["scalable_attention"] = true;
        fields["tie_word_embeddings"] = false;
        fields["tokenizer_class"] = "T5Tokenizer";
        fields["torch_dtype"] = "float32";
        fields["transformers_version"] = "4.48.0.dev0";
        fields["use_cache"] = true;
        fields["vocab_size"] = VocabSize;
    }

    private static int Buckets(int value) =>
        value is >= 4 and <= 1 << 16 && value % 4 == 0
            ? value
            : throw new SoraException(
                $"relative_attention_num_buckets is {value}; allowed: multiples of 4 from 4 to 65536.");

    private void RequireToken(int id, string field)
    {
        if (id >= VocabSize)
            throw new SoraException($"{field} is {id}; vocab_size allows 0 to {VocabSize - 1}.");
    }
}
