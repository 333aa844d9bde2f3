namespace Sora.Weights;

/// <summary>Finds the module of diffusers that a LoRA file means.</summary>
internal static class LoraModules
{
    private const string KohyaPrefix = "lora_unet_";

    // The component in diffusers' pipeline, ComfyUI's model with and without its own prefix, a model wrapped by peft.
    private static readonly string[] Prefixes = ["transformer.", "model.diffusion_model.", "diffusion_model.", "base_model.model."];

    // Underscores for dots cannot be turned back (ffn_0, k_img, self_attn_q), so every known name is turned once.
    private static readonly Dictionary<string, string> Flattened = Flatten();

    /// <summary>The module in diffusers' names and the spelling; null where the transformer has no such module.</summary>
    /// <param name="name">As in the file, prefix included.</param>
    public static (string Module, LoraSpelling Spelling)? Find(string name)
    {
        if (name.StartsWith(KohyaPrefix, StringComparison.Ordinal))
            return FromKohya(name[KohyaPrefix.Length..].TrimStart('_')) is { } module ? (module, LoraSpelling.Kohya) : null;
        string prefix = Prefixes.FirstOrDefault(known => name.StartsWith(known, StringComparison.Ordinal)) ?? "";
        string bare = name[prefix.Length..];
        // A few modules (patch_embedding) have the same name in both.
        if (OriginalNames.Transformer.ToOriginal(bare) is not null)
            return (bare, LoraSpelling.Diffusers);
        return OriginalNames.Transformer.ToDiffusers(bare) is { } renamed ? (renamed, LoraSpelling.Original) : null;
    }

    private static string? FromKohya(string flat)
    {
        // The table's own sign for a number.
        if (flat.Contains('*', StringComparison.Ordinal))
            return null;
        if (Flattened.TryGetValue(flat, out string? module))
            return module;
        const string blocks = "blocks_";
        int end = flat.IndexOf('_', Math.Min(blocks.Length, flat.Length));
        if (!flat.StartsWith(blocks, StringComparison.Ordinal) || end < 0)
            return null;
        string block = flat[blocks.Length..end];
        bool isNumber = block.Length > 0 && block.All(char.IsAsciiDigit);
        return isNumber && Flattened.TryGetValue($"{blocks}*{flat[end..]}", out module)
            ? module.Replace("*", block, StringComparison.Ordinal)
            : null;
    }

    private static Dictionary<string, string> Flatten()
    {
        var flattened = new Dictionary<string, string>();
        foreach (NameRow row in OriginalNames.Transformer.Rows)
            flattened.Add(row.Original.Replace('.', '_'), row.Diffusers);
        // Trainers that work on diffusers' network write its names in the same way.
        foreach (NameRow row in OriginalNames.Transformer.Rows)
            flattened.TryAdd(row.Diffusers.Replace('.', '_'), row.Diffusers);
        return flattened;
    }
}
