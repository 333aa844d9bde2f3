namespace Sora.Weights;

/// <summary>Where the weights of one network are, and whose names they have there.</summary>
/// <param name="Path">A file, an index of shards, or a folder.</param>
/// <param name="Kind">Which network it is.</param>
/// <param name="Naming">Whose names the tensors have.</param>
internal sealed record NetworkFiles(string Path, NetworkKind Kind, NetworkNaming Naming)
{
    // What a prefix of ComfyUI's own checkpoints looks like.
    private static readonly string[] Prefixes = ["", "model.diffusion_model.", "diffusion_model."];

    /// <summary>The files, shards one by one.</summary>
    public IReadOnlyList<string> Files => WeightFileSet.Find(Path).Files;

    /// <summary>Their size in bytes.</summary>
    public long ByteLength => Files.Sum(file => new FileInfo(file).Length);

    /// <summary>Recognises a network by the tensors that it has; null where it is none of Sora's.</summary>
    /// <exception cref="SoraException">The files cannot be read.</exception>
    public static NetworkFiles? Recognize(string path)
    {
        using WeightStore store = WeightSource.Open(path);
        foreach (string prefix in Prefixes)
            if (Find(store, prefix) is var (kind, naming))
                return new NetworkFiles(path, kind, naming);
        return null;
    }

    /// <summary>
    /// The network in a part's folder: its safetensors, or where there are none its GGUF file, whose tensors may have other names.
    /// </summary>
    /// <exception cref="SoraException">There are no weights, two sets of them, or those of another network.</exception>
    public static NetworkFiles InFolder(string folder, NetworkKind kind)
    {
        string[] files = [.. FolderContents.Files(folder).Where(file => System.IO.Path.GetExtension(file) is ".gguf" or ".safetensors")];
        string[] quantized = [.. files.Where(file => System.IO.Path.GetExtension(file) == ".gguf")];
        if (quantized.Length == 0 || quantized.Length < files.Length)
        {
            WeightFileSet.Find(folder);
            return new(folder, kind, NetworkNaming.Diffusers);
        }
        if (quantized.Length > 1)
            throw new SoraException($"{folder}: {string.Join(" and ", quantized.Select(System.IO.Path.GetFileName))} are both there; keep one of them.");
        NetworkFiles? found = Recognize(quantized[0]);
        return found?.Kind == kind ? found
            : throw new SoraException($"{quantized[0]}: this is {(found is null ? "no network that Sora has" : $"a {found.Kind}")}, known by its tensors; looked for a {kind}.");
    }

    /// <summary>Opens the weights under the names of diffusers.</summary>
    /// <exception cref="SoraException">The files cannot be read, or hold parts that the network does not have.</exception>
    public WeightStore Open() => Naming.Apply(WeightSource.Open(Path));

    // One tensor that every network of the kind has and no other, and a second where the first is not enough.
    private static (NetworkKind, NetworkNaming)? Find(WeightStore store, string prefix)
    {
        if (Has("condition_embedder.time_proj.weight"))
            return (NetworkKind.Transformer, NetworkNaming.Diffusers with { Prefix = prefix });
        if (Has("time_projection.1.weight") && Has("head.modulation"))
            return (NetworkKind.Transformer, new("original", OriginalNames.Transformer, prefix));
        if (prefix.Length > 0)
            return null;
        if (Has("decoder.norm_out.gamma") && Has("post_quant_conv.weight"))
            return (NetworkKind.Vae, NetworkNaming.Diffusers);
        if (Has("decoder.head.0.gamma") && Has("conv2.weight"))
            return (NetworkKind.Vae, new("original", VaeTable(store)));
        // Other T5 encoders have a table of positions in their first block alone.
        if (Has("encoder.block.0.layer.0.SelfAttention.q.weight"))
            return HasPositions("encoder.block.*.layer.0.SelfAttention.q.weight", "encoder.block.*.layer.0.SelfAttention.relative_attention_bias.weight")
                ? (NetworkKind.TextEncoder, NetworkNaming.Diffusers) : null;
        if (Has("blocks.0.pos_embedding.embedding.weight") && Has("token_embedding.weight"))
            return (NetworkKind.TextEncoder, new("original", OriginalNames.TextEncoder));
        if (Has("enc.blk.0.attn_q.weight"))
            return HasPositions("enc.blk.*.attn_q.weight", "enc.blk.*.attn_rel_b.weight")
                ? (NetworkKind.TextEncoder, new("llama.cpp", OriginalNames.TextEncoderGguf)) : null;
        if (Has("vision_model.embeddings.class_embedding"))
            return (NetworkKind.ImageEncoder, NetworkNaming.Diffusers);
        if (Has("visual.cls_embedding") && Has("visual.transformer.0.attn.to_qkv.weight"))
            return (NetworkKind.ImageEncoder, new("original", OriginalNames.ImageEncoder));
        return null;

        bool Has(string name) => store.Contains(prefix + name);

        bool HasPositions(string attention, string positions) =>
            Enumerable.Range(0, 1024).TakeWhile(block => Has(attention.Replace("*", $"{block}", StringComparison.Ordinal)))
                .All(block => Has(positions.Replace("*", $"{block}", StringComparison.Ordinal)));
    }

    /// <summary>The table for as many residual blocks a level as the names count.</summary>
    private static NameTable VaeTable(WeightStore store)
    {
        bool residual = store.Contains("encoder.downsamples.0.downsamples.0.residual.0.gamma");
        string list = residual ? "decoder.upsamples.0.upsamples" : "decoder.upsamples";
        int blocks = Enumerable.Range(0, 1024).TakeWhile(i => store.Contains($"{list}.{i}.residual.0.gamma")).Count();
        return OriginalNames.Vae(Math.Max(blocks - 1, 0), residual);
    }
}
