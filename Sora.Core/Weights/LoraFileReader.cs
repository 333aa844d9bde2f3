namespace Sora.Weights;

/// <summary>Sorts the tensors of a LoRA file into modules, and makes of each what it adds to its parameters.</summary>
internal static class LoraFileReader
{
    /// <summary>What one entry or pair of the file adds to one parameter.</summary>
    /// <param name="Parameter">The parameter's name in diffusers.</param>
    /// <param name="Delta">What is added.</param>
    public readonly record struct Change(string Parameter, LoraDelta Delta);

    /// <summary>Reads the header's names and shapes and the alphas, and looks through the numbers once.</summary>
    /// <exception cref="SoraException">
    /// A name is in no known spelling, a part lacks its partner or has another rank, or a number is not finite.
    /// </exception>
    public static (LoraSpelling Spelling, IReadOnlyList<Change> Changes) Read(LoraTensors file)
    {
        if (file.Entries.Count == 0)
            throw new SoraException($"{file.Path} holds no tensors.");
        var modules = new OrderedDictionary<string, Dictionary<LoraPart, SafetensorsEntry>>();
        var spelling = LoraSpelling.Diffusers;
        foreach (SafetensorsEntry entry in file.Entries.Values)
        {
            LoraTarget target = LoraTarget.Find(entry.Name) ?? throw UnknownNames(file);
            // Names that are the same in two spellings count as diffusers', the first.
            spelling = target.Spelling > spelling ? target.Spelling : spelling;
            if (!modules.TryGetValue(target.Module, out Dictionary<LoraPart, SafetensorsEntry>? parts))
                modules.Add(target.Module, parts = []);
            if (!parts.TryAdd(target.Part, entry))
                throw new SoraException($"{file.Path}: '{entry.Name}' and '{parts[target.Part].Name}' are the same part of {target.Module}.");
        }
        var metadata = LoraMetadata.Of(file);
        Change[] changes = [.. modules.SelectMany(module => ChangesOf(file, module.Key, module.Value, metadata))];
        foreach (SafetensorsEntry entry in file.Entries.Values)
            file.RequireFinite(entry);
        return (spelling, changes);
    }

    private static List<Change> ChangesOf(
        LoraTensors file, string module, Dictionary<LoraPart, SafetensorsEntry> parts, LoraMetadata metadata)
    {
        SafetensorsEntry? Part(LoraPart part) => parts.GetValueOrDefault(part);
        // Tables are parameters themselves, not modules with a weight.
        bool isTable = module.EndsWith("scale_shift_table", StringComparison.Ordinal) || module.EndsWith("pos_embed", StringComparison.Ordinal);
        (string weight, string bias) = (isTable ? module : $"{module}.weight", $"{module}.bias");

        var changes = new List<Change>();
        if (Part(LoraPart.Up) is not null || Part(LoraPart.Down) is not null)
        {
            (SafetensorsEntry up, SafetensorsEntry down) = RequirePair(file, module, Part(LoraPart.Up), Part(LoraPart.Down));
            long rank = down.Shape[0];
            double factor = Part(LoraPart.Alpha) is { } alpha ? NumberOf(file, alpha) / rank : metadata.Factor(module, rank);
            changes.Add(new(weight, new LowRankDelta(up, down, factor)));
            if (Part(LoraPart.UpBias) is { } upBias)
                changes.Add(new(bias, new FullDelta(upBias, factor)));
        }
        else if (Part(LoraPart.UpBias) is { } upBias)
        {
            throw new SoraException($"{file.Path}: '{upBias.Name}' stands without the matrices of its module.");
        }
        if (Part(LoraPart.Weight) is { } weightDifference)
            changes.Add(new(weight, new FullDelta(weightDifference)));
        if (Part(LoraPart.Bias) is { } biasDifference)
            changes.Add(new(bias, new FullDelta(biasDifference)));
        return changes.Count > 0
            ? changes
            : throw new SoraException($"{file.Path}: '{Part(LoraPart.Alpha)!.Name}' stands without the matrices of its module.");
    }

    private static (SafetensorsEntry Up, SafetensorsEntry Down) RequirePair(
        LoraTensors file, string module, SafetensorsEntry? up, SafetensorsEntry? down)
    {
        if (up is null || down is null)
            throw new SoraException($"{file.Path}: '{(up ?? down)!.Name}' has no partner; {module} lacks its "
                + $"{(up is null ? "up matrix (lora_B, lora_up)" : "down matrix (lora_A, lora_down)")}.");
        bool isPair = up.Shape.Length >= 2 && down.Shape.Length >= 2
            && up.Shape[1] == down.Shape[0] && down.Shape[0] > 0 && up.Shape.Skip(2).All(kernel => kernel == 1);
        if (!isPair)
            throw new SoraException($"{file.Path}: '{up.Name}' [{string.Join(", ", up.Shape)}] and '{down.Name}' "
                + $"[{string.Join(", ", down.Shape)}] are no pair; needed: [out, rank] and [rank, in] of one rank.");
        return (up, down);
    }

    private static double NumberOf(LoraTensors file, SafetensorsEntry alpha)
    {
        if (alpha.ElementCount != 1)
            throw new SoraException($"{file.Path}: '{alpha.Name}' has shape [{string.Join(", ", alpha.Shape)}]; needed: one number.");
        using Tensor number = file.Read(alpha);
        return number.item<float>();
    }

    private static SoraException UnknownNames(LoraTensors file)
    {
        string[] unknown = [.. file.Entries.Keys.Where(name => LoraTarget.Find(name) is null)];
        string listed = string.Join(", ", unknown.Take(5).Select(name => $"'{name}'"));
        return new SoraException(
            $"{file.Path}: {unknown.Length} of {file.Entries.Count} tensors are no part of a Wan LoRA in a known spelling: "
            + $"{listed}{(unknown.Length > 5 ? ", …" : "")}. Known: 'transformer.blocks.0.attn1.to_q.lora_A.weight' (diffusers), "
            + "'diffusion_model.blocks.0.self_attn.q.lora_down.weight' (ComfyUI), 'lora_unet_blocks_0_self_attn_q.lora_down.weight' "
            + "(kohya), with lora_A and lora_B, lora_down and lora_up, alpha, diff, diff_b.");
    }
}
