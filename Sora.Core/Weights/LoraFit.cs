namespace Sora.Weights;

/// <summary>Checks that a LoRA belongs to a model before it is applied.</summary>
internal static class LoraFit
{
    // What a model conditioned on images has more than one conditioned on text. LoRAs are shared between the two kinds: one
    // made for text simply lacks these, one made for images has no use for them elsewhere (Wan 2.2's image model included).
    private static readonly string[] ImageParts = [".attn2.add_k_proj.", ".attn2.add_v_proj.", ".attn2.norm_added_k.", "condition_embedder.image_embedder."];

    /// <summary>Requires that the model has every parameter that the LoRA changes, in its shape.</summary>
    /// <param name="adapter">The LoRA.</param>
    /// <param name="shapeOf">The shape of a parameter of the model; null where it has none of this name.</param>
    /// <returns>The parameters that are left out because the model has no image cross-attention.</returns>
    /// <exception cref="SoraException">It was made for another model; the message names the first mismatches.</exception>
    public static IReadOnlyList<string> Require(LoraAdapter adapter, Func<string, IReadOnlyList<long>?> shapeOf)
    {
        var mismatches = new List<string>();
        var leftOut = new List<string>();
        foreach (string parameter in adapter.Parameters)
        {
            IReadOnlyList<long>? shape = shapeOf(parameter);
            if (shape is null && ImageParts.Any(part => parameter.Contains(part, StringComparison.Ordinal)))
                leftOut.Add(parameter);
            else if (adapter.DeltasOf(parameter).FirstOrDefault(delta => shape is null || !delta.Shape.SequenceEqual(shape)) is { } delta)
                mismatches.Add($"{parameter} {(shape is null ? "is not there" : $"is [{string.Join(", ", shape)}]")}, "
                    + $"{delta.Source} changes [{string.Join(", ", delta.Shape)}]");
        }
        if (mismatches.Count > 0)
            throw new SoraException($"{adapter.Path} was made for another model; {mismatches.Count} of {adapter.Parameters.Count} parameters "
                + $"do not fit: {string.Join("; ", mismatches.Take(3))}{(mismatches.Count > 3 ? "; …" : "")}.");
        if (leftOut.Count == adapter.Parameters.Count)
            throw new SoraException($"{adapter.Path} changes image cross-attention alone, which this model does not have.");
        return leftOut;
    }
}
