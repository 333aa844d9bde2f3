using System.Text.Json;
using System.Text.Json.Nodes;
using Sora.Weights;

namespace Sora.Training;

/// <summary>
/// A training's settings by name, as its checkpoint keeps them: what goes on from the checkpoint must be the same training.
/// </summary>
internal sealed class TrainingSettings
{
    private const string Key = "config";
    private const int LongestValue = 60;

    // They say how long, where and what is looked at, not what is learned from.
    private static readonly HashSet<string> s_harmless =
    [
        "steps", "checkpoint_minutes", "output", "model", "device", "run_folder", "output_folder", "vae_folder", "start_folder", "activation_checkpointing",
        "latent_folder", "validation_steps", "validation_minutes", "sample_checkpoints", "sample_prompts", "sample_seed", "sample_steps",
    ];

    private readonly string _json;
    private readonly Dictionary<string, string> _values = [];
    private readonly Dictionary<string, string> _defaults = [];

    private TrainingSettings(JsonObject values, JsonObject defaults)
    {
        _json = values.ToJsonString();
        Flatten(values, "", _values);
        Flatten(defaults, "", _defaults);
    }

    /// <summary>The settings of a training.</summary>
    /// <param name="config">What the user set.</param>
    /// <param name="defaults">The same with every optional setting at its default.</param>
    /// <param name="world">The name of the world that is trained on.</param>
    public static TrainingSettings Of<T>(T config, T defaults, string world)
    {
        return new(ToJson(config), ToJson(defaults));

        JsonObject ToJson(T value)
        {
            JsonObject settings = JsonSerializer.SerializeToNode(value, TrainingFile.JsonOptions)!.AsObject();
            settings["world"] = world;
            return settings;
        }
    }

    /// <summary>Adds the settings to what a checkpoint says about itself.</summary>
    public void AddTo(IDictionary<string, string> metadata) => metadata[Key] = _json;

    /// <summary>Finds out whether a checkpoint is of this training.</summary>
    /// <param name="checkpoint">The file; it need not exist.</param>
    /// <returns>What a person should know, a sentence each: settings that differ and may.</returns>
    /// <exception cref="SoraException">It is of another: every setting that differs is named with both values.</exception>
    public IReadOnlyList<string> Compare(string checkpoint)
    {
        if (!File.Exists(checkpoint))
            return [];
        using SafetensorsFile file = SafetensorsFile.Open(checkpoint);
        if (!file.Metadata.TryGetValue(Key, out string? json))
            return [$"{checkpoint} does not say with which settings it was made; they are not compared."];
        var stored = new Dictionary<string, string>();
        try
        {
            Flatten(JsonNode.Parse(json)!.AsObject(), "", stored);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new SoraException($"{checkpoint}: its settings cannot be read: {e.Message}", e);
        }

        // A setting that did not exist then had the effect of its default.
        (string Name, string Was, string Is)[] differences =
        [
            .. _values.Select(now => (now.Key, Was: stored.GetValueOrDefault(now.Key) ?? _defaults.GetValueOrDefault(now.Key, "absent"), Is: now.Value))
                .Concat(stored.Where(then => !_values.ContainsKey(then.Key)).Select(then => (then.Key, Was: then.Value, Is: _defaults.GetValueOrDefault(then.Key, "absent"))))
                .Where(difference => difference.Was != difference.Is)
                .OrderBy(difference => difference.Key, StringComparer.Ordinal),
        ];
        if (differences.Where(d => !s_harmless.Contains(d.Name.Split('.')[0])).ToArray() is { Length: > 0 } harmful)
        {
            throw new SoraException($"{checkpoint} is of a training with other settings: {string.Join("; ", harmful.Select(Describe))}. "
                + "Restore them, or name another run_folder.");
        }
        return [.. differences.Select(d => $"Resumes with another setting: {Describe(d)}.")];
    }

    private static string Describe((string Name, string Was, string Is) difference) =>
        $"{difference.Name} was {Cut(difference.Was)} and is {Cut(difference.Is)}";

    private static string Cut(string value) => value.Length <= LongestValue ? value : string.Concat(value.AsSpan(0, LongestValue), "…");

    private static void Flatten(JsonObject node, string prefix, Dictionary<string, string> values)
    {
        foreach ((string name, JsonNode? value) in node)
        {
            if (value is JsonObject inner)
                Flatten(inner, $"{prefix}{name}.", values);
            else
                values[prefix + name] = value?.ToJsonString() ?? "not set";
        }
    }
}
