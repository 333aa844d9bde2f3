using System.Text.Json;

namespace Sora.Weights;

/// <summary>
/// peft's description of an adapter, from which its alpha follows where the file has none: diffusers keeps it in the header
/// of the LoRA (<c>lora_adapter_metadata</c>), peft in <c>adapter_config.json</c> beside <c>adapter_model.safetensors</c>.
/// </summary>
/// <param name="Alpha">The alpha of modules without one of their own; null where the description has none.</param>
/// <param name="Alphas">The alphas of modules, by the end of their names.</param>
/// <param name="IsRankStabilised">Whether the factor is alpha / √rank (Kalajdzievski 2023) in place of alpha / rank.</param>
internal sealed record LoraMetadata(double? Alpha, IReadOnlyDictionary<string, double> Alphas, bool IsRankStabilised)
{
    /// <summary>Where diffusers keeps the description in a header.</summary>
    internal const string Key = "lora_adapter_metadata";

    private static readonly LoraMetadata None = new(null, new Dictionary<string, double>(), false);

    /// <summary>Reads the description; without one the factor is 1.</summary>
    /// <exception cref="SoraException">It is damaged, or says that the adapter is no plain LoRA.</exception>
    public static LoraMetadata Of(LoraTensors file)
    {
        if (file.Metadata.TryGetValue(Key, out string? json))
            return ConfigFile.Parse(json, $"{file.Path}: {Key}", fields => Read(fields, "transformer."));
        string beside = Path.Combine(Path.GetDirectoryName(file.Path) ?? "", "adapter_config.json");
        return Path.GetFileName(file.Path) == "adapter_model.safetensors" && File.Exists(beside)
            ? ConfigFile.Load(beside, fields => Read(fields, ""))
            : None;
    }

    /// <summary>What the product of a module's matrices is multiplied with.</summary>
    public double Factor(string module, long rank)
    {
        string? own = Alphas.Keys.FirstOrDefault(end => module == end || module.EndsWith($".{end}", StringComparison.Ordinal));
        double? alpha = own is null ? Alpha : Alphas[own];
        return alpha is null ? 1 : alpha.Value / (IsRankStabilised ? Math.Sqrt(rank) : rank);
    }

    private static LoraMetadata Read(ConfigFields fields, string prefix)
    {
        fields.Unsupported($"{prefix}use_dora", "false");
        var alphas = new Dictionary<string, double>();
        if (fields.Find($"{prefix}alpha_pattern") is { } pattern)
        {
            if (pattern.ValueKind != JsonValueKind.Object)
                throw new SoraException($"{prefix}alpha_pattern is {ConfigFields.Show(pattern)}; allowed: an object of numbers.");
            var own = new ConfigFields(pattern);
            foreach (JsonProperty alpha in own.All)
                alphas[alpha.Name] = own.Number(alpha.Name, 0);
        }
        return new(fields.OptionalNumber($"{prefix}lora_alpha"), alphas, fields.Flag($"{prefix}use_rslora", false));
    }
}
