using Sora.Layers;
using Sora.Training;
using Sora.Training.FineTuning;

namespace Sora.Weights;

/// <summary>
/// Writes a LoRA as diffusers' <c>WanPipeline.save_lora_weights</c> does: names with <c>transformer.</c>, and peft's
/// description in the header, from which readers take alpha.
/// </summary>
internal static class LoraWriter
{
    private const string Component = "transformer.";

    /// <summary>Writes the file; it appears under its name when it is complete.</summary>
    /// <param name="path">The file; an existing one is replaced.</param>
    /// <param name="adapters">The matrices.</param>
    /// <param name="config">Their rank and alpha, the modules that they adapt, as peft matches them, and the numbers' format.</param>
    /// <exception cref="SoraException">The file cannot be written.</exception>
    public static void Write(string path, LowRankAdapters adapters, LoraConfig config)
    {
        // The arguments of peft's LoraConfig that decide what the matrices mean; diffusers gives it all that it finds here.
        var description = new SortedDictionary<string, object?>(StringComparer.Ordinal)
        {
            [$"{Component}alpha_pattern"] = new SortedDictionary<string, object?>(),
            [$"{Component}bias"] = "none",
            [$"{Component}lora_alpha"] = config.Alpha,
            [$"{Component}lora_bias"] = false,
            [$"{Component}lora_dropout"] = 0.0,
            [$"{Component}r"] = config.Rank,
            [$"{Component}rank_pattern"] = new SortedDictionary<string, object?>(),
            [$"{Component}target_modules"] = config.Modules,
            [$"{Component}use_dora"] = false,
            [$"{Component}use_rslora"] = false,
        };
        SafetensorsWriter.Write(
            path, adapters.Parameters.Select(p => TrainingState.ContentOf($"{Component}{p.Key}", p.Value, config.Precision == WeightPrecision.BF16 ? bfloat16 : float32)),
            new Dictionary<string, string> { ["format"] = "pt", [LoraMetadata.Key] = System.Text.Json.JsonSerializer.Serialize(description) });
    }
}
