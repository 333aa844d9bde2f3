using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;
using Sora.Layers;
using Sora.Training.Distillation;
using Sora.Training.FineTuning;
using Sora.Training.SpriteWorld;
using Sora.Weights;

namespace Sora.Training;

/// <summary>
/// A training's JSON file: <c>kind</c> (<c>vae</c>, <c>flow</c>, <c>lora</c>, <c>finetune</c> or <c>distill</c>), <c>world</c> (<c>first-edition</c>, <c>by-day</c>
/// or <c>everything</c>) and the settings of <see cref="VaeTrainingConfig"/>, <see cref="FlowTrainingConfig"/>, <see cref="FineTuningConfig"/> or <see cref="DistillationConfig"/> in
/// snake_case, the networks' configs as in the diffusers layout. Paths are relative to the current folder.
/// </summary>
/// <param name="World">The part of the drawn world to train on.</param>
/// <param name="Vae">Set when the file trains an autoencoder.</param>
/// <param name="Flow">Set when the file trains a transformer.</param>
public sealed record TrainingFile(SpriteWorldConfig World, VaeTrainingConfig? Vae, FlowTrainingConfig? Flow)
{
    private const string Kinds = "vae, flow, lora, finetune, distill";

    /// <summary>Set when the file trains on a model that is there.</summary>
    public FineTuningConfig? FineTuning { get; init; }

    /// <summary>Set when the file distils a model into few steps.</summary>
    public DistillationConfig? Distillation { get; init; }

    /// <summary>The checkpoint that the training writes and goes on from.</summary>
    public string CheckpointPath =>
        FineTuning is { } tuning ? Path.Combine(tuning.RunFolder, "finetune-state.safetensors")
        : Distillation is { } distillation ? Path.Combine(distillation.RunFolder, "distill-state.safetensors")
        : Path.Combine(Flow?.RunFolder ?? Vae!.RunFolder, Flow is null ? "vae-state.safetensors" : "flow-state.safetensors");

    /// <summary>The type of products for a precision on the device that the training runs on: with <see cref="Precision.Auto"/> bfloat16 where that multiplies it fast, else float32.</summary>
    /// <exception cref="SoraException">The file names a device that this machine lacks, or the precision is <see cref="Precision.Int8"/>.</exception>
    public ScalarType ComputeType(Precision precision) =>
        precision == Precision.Int8 ? throw new SoraException("Precision int8 has no gradients to train with; allowed: auto, full, bf16; nearest: auto.")
        : ComputeTypes.Of(precision, FineTuning is null && Distillation is null ? CPU : FineTuner.DeviceOf(FineTuning?.Device ?? Distillation?.Device));

    /// <summary>How settings are written in JSON.</summary>
    internal static JsonSerializerOptions JsonOptions { get; } = new()
    {
        IgnoreReadOnlyProperties = true,
        // A part of a setting that is left out would be 0.
        RespectRequiredConstructorParameters = true,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        Converters =
        {
            new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false),
            new NetworkConverter<AutoencoderKLWanConfig>(AutoencoderKLWanConfig.Parse),
            new NetworkConverter<WanTransformerConfig>(WanTransformerConfig.Parse),
            new NetworkConverter<UMT5Config>(UMT5Config.Parse),
            new JsonStringEnumConverter<LoraExpert>(JsonNamingPolicy.SnakeCaseLower),
            new JsonStringEnumConverter<WeightPrecision>(JsonNamingPolicy.SnakeCaseLower),
        },
    };

    /// <summary>Reads a training's file.</summary>
    /// <exception cref="SoraException">The file cannot be read, or holds an unknown, missing or wrong setting.</exception>
    public static TrainingFile Load(string path)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(File.ReadAllText(path), new() { AllowDuplicateProperties = false });
            return Read(document.RootElement);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException or SoraException)
        {
            throw new SoraException($"{path}: {e.Message}", e);
        }
    }

    private static TrainingFile Read(JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object)
            throw new SoraException("the file holds no JSON object.");
        Dictionary<string, JsonElement> settings = root.EnumerateObject().ToDictionary(p => p.Name, p => p.Value);
        SpriteWorldConfig world = SpriteWorldConfig.Find(Take("world", "first-edition"));
        return Take("kind", null) switch
        {
            "vae" => new(world, Settings<VaeTrainingConfig>(settings), null),
            "flow" => new(world, null, Settings<FlowTrainingConfig>(settings)),
            "lora" => new(world, null, null) { FineTuning = WithLora(Settings<FineTuningConfig>(settings)) },
            "finetune" => new(world, null, null) { FineTuning = Settings<FineTuningConfig>(settings) },
            "distill" => new(world, null, null) { Distillation = Settings<DistillationConfig>(settings) },
            var other => throw new SoraException($"kind '{other}' is unknown; known: {Kinds}."),
        };

        string Take(string name, string? absent)
        {
            if (settings.Remove(name, out JsonElement value))
                return value.ValueKind == JsonValueKind.String ? value.GetString()! : throw new SoraException($"{name} is {value.GetRawText()}; a text in quotes is expected.");
            return absent ?? throw new SoraException($"{name} is missing; known: {Kinds}.");
        }
    }

    private static FineTuningConfig WithLora(FineTuningConfig config) => config with { Lora = config.Lora ?? new() };

    private static T Settings<T>(Dictionary<string, JsonElement> settings)
    {
        string[] known = [.. typeof(T).GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(p => p.CanWrite)
            .Select(p => JsonNamingPolicy.SnakeCaseLower.ConvertName(p.Name))];
        if (settings.Keys.FirstOrDefault(name => !known.Contains(name)) is { } unknown)
            throw new SoraException($"the setting '{unknown}' is unknown{(NearestName.Find(unknown, known) is { } near ? $"; nearest: {near}" : "")}.");
        return JsonSerializer.Deserialize<T>(JsonSerializer.Serialize(settings), JsonOptions)!;
    }

    private sealed class NetworkConverter<T>(Func<string, string, T> parse) : JsonConverter<T>
        where T : ModelConfig
    {
        public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            using JsonDocument document = JsonDocument.ParseValue(ref reader);
            T config = parse(document.RootElement.GetRawText(), typeof(T).Name);
            return config.UnknownFields.Count == 0 ? config
                : throw new SoraException($"{typeof(T).Name} has unknown settings: {string.Join(", ", config.UnknownFields)}; a training would not heed them.");
        }

        public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options) => writer.WriteRawValue(value.ToJson());
    }
}
