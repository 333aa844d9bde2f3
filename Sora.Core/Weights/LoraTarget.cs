namespace Sora.Weights;

/// <summary>What a tensor of a LoRA file is to its module.</summary>
internal enum LoraPart
{
    /// <summary>Maps the input to the low rank, [rank, in].</summary>
    Down,

    /// <summary>Maps the low rank to the output, [out, rank].</summary>
    Up,

    /// <summary>One number: the product's factor is alpha / rank.</summary>
    Alpha,

    /// <summary>A full-size addition to the weight.</summary>
    Weight,

    /// <summary>A full-size addition to the bias.</summary>
    Bias,

    /// <summary>The bias of the up matrix (peft's <c>lora_bias</c>), which has the product's factor.</summary>
    UpBias,
}

/// <summary>What a tensor of a LoRA file is meant for, found by its name.</summary>
/// <param name="Module">The module in diffusers' names.</param>
/// <param name="Part">Which part of the module's change it holds.</param>
/// <param name="Spelling">How the file names the module.</param>
internal readonly record struct LoraTarget(string Module, LoraPart Part, LoraSpelling Spelling)
{
    // LightX2V's step-distilled LoRAs call the change of a block's modulation table `blocks.0.diff_m`
    // (github.com/Comfy-Org/ComfyUI, issue 8922).
    private const string Modulation = ".diff_m";

    // The ends of names: peft with and without the adapter's name, kohya and ComfyUI, diffusers before peft.
    private static readonly (string End, LoraPart Part)[] Ends =
    [
        (".lora_A.weight", LoraPart.Down), (".lora_B.weight", LoraPart.Up), (".lora_B.bias", LoraPart.UpBias),
        (".lora_A.default.weight", LoraPart.Down), (".lora_B.default.weight", LoraPart.Up), (".lora_B.default.bias", LoraPart.UpBias),
        (".lora_down.weight", LoraPart.Down), (".lora_up.weight", LoraPart.Up),
        (".lora.down.weight", LoraPart.Down), (".lora.up.weight", LoraPart.Up),
        (".alpha", LoraPart.Alpha), (".diff", LoraPart.Weight), (".diff_b", LoraPart.Bias),
    ];

    /// <summary>Takes a tensor's name apart; null where it is no part of a LoRA for a Wan transformer.</summary>
    public static LoraTarget? Find(string name)
    {
        if (name.EndsWith(Modulation, StringComparison.Ordinal))
        {
            string owner = name[..^Modulation.Length];
            return Of(LoraModules.Find($"{owner}.modulation") ?? LoraModules.Find($"{owner}.scale_shift_table"), LoraPart.Weight);
        }
        foreach ((string end, LoraPart part) in Ends)
            if (name.EndsWith(end, StringComparison.Ordinal))
                return Of(LoraModules.Find(name[..^end.Length]), part);
        return null;
    }

    private static LoraTarget? Of((string Module, LoraSpelling Spelling)? found, LoraPart part) =>
        found is { } module ? new LoraTarget(module.Module, part, module.Spelling) : null;
}
