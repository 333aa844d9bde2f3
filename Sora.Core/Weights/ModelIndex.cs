using System.Globalization;
using System.Text.Json;

namespace Sora.Weights;

/// <summary><c>model_index.json</c>: which parts a model has, and what belongs to none of them.</summary>
/// <exception cref="SoraException">A value lies outside its range; the message names field and range.</exception>
public sealed record ModelIndex : ModelConfig
{
    /// <summary>The version of diffusers whose files this library writes.</summary>
    internal const string DiffusersVersion = "0.36.0";

    private static readonly string[] KnownParts =
        ["image_encoder", "image_processor", "scheduler", "text_encoder", "tokenizer", "transformer", "transformer_2", "vae"];

    /// <summary>The pipeline's class in diffusers.</summary>
    public string ClassName { get; init => field = NotEmpty(value, "_class_name"); } = "WanPipeline";

    /// <summary>Every part, absent ones included.</summary>
    /// <value>Distinct names; by default a text-to-video model with UniPC.</value>
    public ValueList<ModelComponent> Components { get; init; } =
    [
        new("scheduler", "diffusers", SchedulerConfig.UniPC),
        new("text_encoder", "transformers", UMT5Config.ClassName),
        new("tokenizer", "transformers", "T5TokenizerFast"),
        new("transformer", "diffusers", WanTransformerConfig.ClassName),
        new("vae", "diffusers", AutoencoderKLWanConfig.ClassName),
    ];

    /// <summary>
    /// The share of the training times at which <c>transformer</c> hands over to <c>transformer_2</c>; null in models with
    /// one transformer.
    /// </summary>
    /// <value>0 to 1, or null; 0.875 in Wan 2.2 T2V A14B.</value>
    public double? BoundaryRatio { get; init => field = Within(value, 0, 1, "boundary_ratio"); }

    /// <summary>Whether the transformer was trained with a noise level for each token.</summary>
    public bool ExpandTimesteps { get; init; }

    /// <summary>The index of a model with UniPC and these parts.</summary>
    /// <param name="imageEncoder">Whether it has an image encoder.</param>
    /// <param name="twoExperts">Whether it has a second transformer, for the less noisy times.</param>
    /// <param name="fromImage">Whether a video starts from a given image.</param>
    internal static ModelIndex For(bool imageEncoder, bool twoExperts, bool fromImage) => new()
    {
        ClassName = fromImage ? "WanImageToVideoPipeline" : "WanPipeline",
        Components =
        [
            .. imageEncoder ? (ModelComponent[])
            [
                new("image_encoder", "transformers", ClipVisionConfig.ClassName),
                new("image_processor", "transformers", ClipImageProcessorConfig.ClassName),
            ] : [],
            new("scheduler", "diffusers", SchedulerConfig.UniPC),
            new("text_encoder", "transformers", UMT5Config.ClassName),
            new("tokenizer", "transformers", "T5TokenizerFast"),
            new("transformer", "diffusers", WanTransformerConfig.ClassName),
            twoExperts ? new("transformer_2", "diffusers", WanTransformerConfig.ClassName) : new("transformer_2", null, null),
            new("vae", "diffusers", AutoencoderKLWanConfig.ClassName),
        ],
    };

    /// <summary>Reads a <c>model_index.json</c>.</summary>
    /// <exception cref="SoraException">
    /// The file cannot be read or is not valid; the message names file, field and range.
    /// </exception>
    public static ModelIndex Load(string path) => ConfigFile.Load(path, Read);

    /// <summary>Reads the text of a <c>model_index.json</c>; <paramref name="source"/> names it in messages.</summary>
    /// <exception cref="SoraException">The text is not valid; the message names field and range.</exception>
    public static ModelIndex Parse(string json, string source = "model_index.json") => ConfigFile.Parse(json, source, Read);

    /// <summary>The part of this name; null where the model does not have it.</summary>
    public ModelComponent? Find(string name) =>
        Components.FirstOrDefault(component => component.Name == name && component.IsPresent);

    /// <inheritdoc/>
    public override void Validate()
    {
        bool two = Find("transformer_2") is not null;
        if (two && BoundaryRatio is null)
            throw new SoraException(
                "transformer_2 is there and boundary_ratio is not; it says when to change from one to the other.");
        if (!two && BoundaryRatio is { } ratio)
            throw new SoraException(
                string.Create(CultureInfo.InvariantCulture, $"boundary_ratio is {ratio} and transformer_2 is absent."));
    }

    private static ModelIndex Read(ConfigFields fields)
    {
        string className = fields.Text("_class_name");
        ModelComponent[] components =
        [
            .. fields.All
                .Where(field => !field.Name.StartsWith('_') && (IsPair(field.Value) || KnownParts.Contains(field.Name)))
                .Select(field => Component(fields, field.Name)),
        ];
        return new ModelIndex
        {
            ClassName = className,
            Components = [.. components],
            BoundaryRatio = fields.OptionalNumber("boundary_ratio"),
            ExpandTimesteps = fields.Flag("expand_timesteps", false),
            UnknownFields = fields.Unknown(),
        };
    }

    /// <summary>Whether the value is a part: any other kind of field is a setting of the pipeline.</summary>
    private static bool IsPair(JsonElement value) =>
        value.ValueKind == JsonValueKind.Array && value.GetArrayLength() == 2
        && (value.EnumerateArray().All(item => item.ValueKind == JsonValueKind.String)
            || value.EnumerateArray().All(item => item.ValueKind == JsonValueKind.Null));

    private static ModelComponent Component(ConfigFields fields, string name)
    {
        if (fields.Find(name) is not { } pair)
            return new ModelComponent(name, null, null);
        if (!IsPair(pair))
            throw new SoraException($"{name} is {ConfigFields.Show(pair)}; allowed: [library, class] or [null, null].");
        return new ModelComponent(name, pair[0].GetString(), pair[1].GetString());
    }

    private protected override void Write(SortedDictionary<string, object?> fields)
    {
        fields["_class_name"] = ClassName;
        fields["_diffusers_version"] = DiffusersVersion;
        foreach (ModelComponent component in Components)
            fields[component.Name] = ValueList.Create([component.Library, component.ClassName]);
        if (BoundaryRatio is { } ratio)
            fields["boundary_ratio"] = ratio;
        if (ExpandTimesteps)
            fields["expand_timesteps"] = true;
    }
}
