using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;
using Sora.Training.SpriteWorld;
using Sora.Weights;

namespace Sora.Training;

/// <summary>
/// A training's JSON file: <c>kind</c> (<c>vae</c> or <c>flow</c>), <c>world</c> (<c>first-edition</c>, <c>by-day</c>
/// or <c>everything</c>) and the settings of <see cref="VaeTrainingConfig"/> or <see cref="FlowTrainingConfig"/> in
/// snake_case, the networks' configs as in the diffusers layout. Paths are relative to the current folder.
/// </summary>
/// <param name="World">The part of the drawn world to train on.</param>
/// <param name="Vae">Set when the file trains an autoencoder.</param>
/// <param name="Flow">Set when the file trains a transformer.</param>
public sealed record TrainingFile(SpriteWorldConfig World, VaeTrainingConfig? Vae, FlowTrainingConfig? Flow)
{
    private static readonly JsonSerializerOptions s_options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        Converters =
        {
            new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false),
            new NetworkConverter<AutoencoderKLWanConfig>(AutoencoderKLWanConfig.Parse),
            new NetworkConverter<WanTransformerConfig>(WanTransformerConfig.Parse),
            new NetworkConverter<UMT5Config>(UMT5Config.Parse),
        },
    };

    /// <summary>Reads a training's file.</summary>
    /// <exception cref="SoraException">The file cannot be read, or holds an unknown, missing or wrong setting.</exception>
    public static TrainingFile Load(string path)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(File.ReadAllText(path));
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
            var other => throw new SoraException($"kind '{other}' is unknown; known: vae, flow."),
        };

        string Take(string name, string? absent)
        {
            if (settings.Remove(name, out JsonElement value) && value.ValueKind == JsonValueKind.String)
                return value.GetString()!;
            return absent ?? throw new SoraException($"{name} is missing; known: vae, flow.");
        }
    }

    private static T Settings<T>(Dictionary<string, JsonElement> settings)
    {
        string[] known = [.. typeof(T).GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(p => p.CanWrite)
            .Select(p => JsonNamingPolicy.SnakeCaseLower.ConvertName(p.Name))];
        if (settings.Keys.FirstOrDefault(name => !known.Contains(name)) is { } unknown)
            throw new SoraException($"the setting '{unknown}' is unknown{(NearestName.Find(unknown, known) is { } near ? $"; nearest: {near}" : "")}.");
        return JsonSerializer.Deserialize<T>(JsonSerializer.Serialize(settings), s_options)!;
    }

    private sealed class NetworkConverter<T>(Func<string, string, T> parse) : JsonConverter<T>
    {
        public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            using JsonDocument document = JsonDocument.ParseValue(ref reader);
            return parse(document.RootElement.GetRawText(), typeof(T).Name);
        }

        public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options) =>
            throw new NotSupportedException("Training files are only read.");
    }
}
