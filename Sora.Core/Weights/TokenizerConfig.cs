using System.Globalization;
using System.Text.Json;

namespace Sora.Weights;

/// <summary>
/// <c>tokenizer_config.json</c>. The tokenizer itself is <c>spiece.model</c>; this says how long a text may be and what the
/// special tokens are called.
/// </summary>
/// <exception cref="SoraException">A value lies outside its range; the message names field and range.</exception>
public sealed record TokenizerConfig : ModelConfig
{
    /// <summary>
    /// transformers writes int(1e30) where a tokenizer has no limit; anything from here on means the same.
    /// </summary>
    private const double NoLimit = 1e9;

    private const string NoLimitText = "1000000000000000019884624838656";

    /// <summary>The most tokens of a text, the end token included; null means no limit.</summary>
    /// <value>1 to 1000000000, or null.</value>
    public int? ModelMaxLength { get; init => field = Within(value, 1, (int)NoLimit, "model_max_length"); }

    /// <summary>The class in transformers.</summary>
    public string TokenizerClass { get; init => field = NotEmpty(value, "tokenizer_class"); } = "T5Tokenizer";

    /// <summary>The token that fills short sequences.</summary>
    public string PadToken { get; init => field = NotEmpty(value, "pad_token"); } = "<pad>";

    /// <summary>The token that ends every text.</summary>
    public string EosToken { get; init => field = NotEmpty(value, "eos_token"); } = "</s>";

    /// <summary>The token for what the vocabulary lacks.</summary>
    public string UnkToken { get; init => field = NotEmpty(value, "unk_token"); } = "<unk>";

    /// <summary>Reads a <c>tokenizer_config.json</c>.</summary>
    /// <exception cref="SoraException">
    /// The file cannot be read or is not valid; the message names file, field and range.
    /// </exception>
    public static TokenizerConfig Load(string path) => ConfigFile.Load(path, Read);

    /// <summary>
    /// Reads the text of a <c>tokenizer_config.json</c>; <paramref name="source"/> names it in messages.
    /// </summary>
    /// <exception cref="SoraException">The text is not valid; the message names field and range.</exception>
    public static TokenizerConfig Parse(string json, string source = "tokenizer_config.json") =>
        ConfigFile.Parse(json, source, Read);

    private static TokenizerConfig Read(ConfigFields fields)
    {
        fields.WithoutEffect("added_tokens_decoder", "additional_special_tokens", "bos_token", "clean_up_tokenization_spaces",
            "extra_ids", "extra_special_tokens", "legacy", "name_or_path", "sp_model_kwargs", "special_tokens_map_file",
            "spaces_between_special_tokens", "add_prefix_space", "processor_class");
        return new TokenizerConfig
        {
            ModelMaxLength = MaximumLength(fields),
            TokenizerClass = fields.Text("tokenizer_class", "T5Tokenizer"),
            PadToken = Token(fields, "pad_token", "<pad>"),
            EosToken = Token(fields, "eos_token", "</s>"),
            UnkToken = Token(fields, "unk_token", "<unk>"),
            UnknownFields = fields.Unknown(),
        };
    }

    private protected override void Write(SortedDictionary<string, object?> fields)
    {
        fields["additional_special_tokens"] = ValueList.Create<string>([]);
        fields["clean_up_tokenization_spaces"] = false;
        fields["eos_token"] = EosToken;
        fields["extra_ids"] = 0;
        fields["extra_special_tokens"] = new SortedDictionary<string, object?>();
        fields["model_max_length"] = ModelMaxLength ?? (object)UInt128.Parse(NoLimitText, CultureInfo.InvariantCulture);
        fields["pad_token"] = PadToken;
        fields["sp_model_kwargs"] = new SortedDictionary<string, object?>();
        fields["tokenizer_class"] = TokenizerClass;
        fields["unk_token"] = UnkToken;
    }

    private static int? MaximumLength(ConfigFields fields) =>
        fields.OptionalNumber("model_max_length") is not { } length || length > NoLimit
            ? null
            : fields.Integer("model_max_length");

    /// <summary>A token is its text, or an object with its text and how it is matched.</summary>
    private static string Token(ConfigFields fields, string field, string fallback)
    {
        bool isObject = fields.Find(field) is { ValueKind: JsonValueKind.Object };
        if (!isObject)
            return fields.Text(field, fallback);
        JsonElement token = fields.Find(field)!.Value;
        return token.TryGetProperty("content", out JsonElement content) && content.ValueKind == JsonValueKind.String
            ? content.GetString()!
            : throw new SoraException(
                $"{field} is {ConfigFields.Show(token)}; allowed: text, or an object with the text as content.");
    }
}
