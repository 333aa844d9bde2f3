namespace Sora.Weights;

/// <summary>
/// The LoRA by which a model takes a few steps in place of many, and how it is run with it: the object <c>few_steps</c> of
/// <c>sora.json</c>. The rest of that file is how the model runs without it.
/// </summary>
/// <exception cref="SoraException">A value lies outside its range; the message names field and range.</exception>
public sealed record FewStepDefaults
{
    private static readonly ValueRange<int> s_steps = new(1, 1000);
    private static readonly ValueRange<float> s_guidance = new(0, 100);

    /// <summary>The LoRA, a <c>.safetensors</c> file of the model's folder (<c>lora</c>).</summary>
    /// <value>A path within the folder.</value>
    public required string Lora { get; init => field = RequireInside(value); }

    /// <summary>Number of denoising steps (<c>steps</c>).</summary>
    /// <value>1 to 1000; 4 where nothing says otherwise.</value>
    public int Steps { get; init => field = s_steps.Require("steps", value)!.Value; } = 4;

    /// <summary>Guidance scale (<c>guidance_scale</c>), of all experts.</summary>
    /// <value>0 to 100; 1, none, where nothing says otherwise.</value>
    public float GuidanceScale { get; init => field = s_guidance.Require("guidance_scale", value)!.Value; } = 1;

    /// <summary>The solver (<c>sampler</c>).</summary>
    /// <value>A name of <see cref="SamplerNames"/>; <c>euler-trailing</c> where nothing says otherwise.</value>
    public Sampler Sampler { get; init; } = Sampler.EulerTrailing;

    internal static FewStepDefaults Read(ConfigFields fields)
    {
        try
        {
            return new()
            {
                Lora = fields.Text("lora"),
                Steps = fields.Integer("steps", 4),
                GuidanceScale = (float)fields.Number("guidance_scale", 1),
                Sampler = fields.OptionalText("sampler") is { } name ? SamplerNames.Parse(name) : Sampler.EulerTrailing,
            };
        }
        catch (SoraException e)
        {
            throw new SoraException($"few_steps: {e.Message}", e);
        }
    }

    internal SortedDictionary<string, object?> ToFields() => new(StringComparer.Ordinal)
    {
        ["lora"] = Lora,
        ["steps"] = Steps,
        ["guidance_scale"] = GuidanceScale,
        ["sampler"] = SamplerNames.NameOf(Sampler),
    };

    // A folder that was downloaded names no other file of the machine.
    private static string RequireInside(string path) =>
        !path.EndsWith(".safetensors", StringComparison.OrdinalIgnoreCase) || Path.IsPathRooted(path) || path.Split('/', '\\').Contains("..")
            ? throw new SoraException($"lora is '{path}'; allowed: a .safetensors file within the model's folder.")
            : path;
}
