namespace Sora.Weights;

/// <summary>
/// The configs of networks whose files have none, from the shapes of their tensors. What shapes cannot tell has the value of
/// the published models.
/// </summary>
internal static class InferredConfigs
{
    /// <summary>Channels a head in every published transformer.</summary>
    private const int HeadDim = 128;

    /// <summary>Channels a head in CLIP ViT-H/14.</summary>
    private const int ImageHeadDim = 80;

    /// <param name="store">The tensors under the names of diffusers.</param>
    /// <param name="heads">The attention heads where a file tells them.</param>
    /// <param name="epsilon">The norms' epsilon where a file tells it.</param>
    /// <exception cref="SoraException">A tensor is missing or has no shape of this network.</exception>
    public static WanTransformerConfig Transformer(WeightStore store, int? heads = null, double? epsilon = null)
    {
        var shapes = new Shapes(store);
        int[] patches = [.. Enumerable.Range(2, 3).Select(axis => shapes.Size("patch_embedding.weight", axis, 5))];
        int width = shapes.Size("patch_embedding.weight", 0, 5);
        int count = heads ?? (width % HeadDim == 0 ? width / HeadDim : 0);
        if (count < 1 || width % count != 0)
            throw new SoraException(heads is null
                ? $"{store.Location}: {width} channels are no multiple of {HeadDim}, a head's in every published model; a config.json has to say how many heads there are."
                : $"{store.Location}: {width} channels cannot be shared among {heads} heads.");
        int outputs = shapes.Size("proj_out.weight", 0, 2), volume = patches.Aggregate(1, (a, b) => a * b);
        if (volume == 0 || outputs % volume != 0)
            throw new SoraException($"{store.Location}: proj_out.weight has {outputs} rows, which patches of {string.Join("x", patches)} do not divide.");
        const string image = "condition_embedder.image_embedder.";
        var config = new WanTransformerConfig
        {
            PatchSize = [.. patches],
            NumAttentionHeads = count,
            AttentionHeadDim = width / count,
            InChannels = shapes.Size("patch_embedding.weight", 1, 5),
            OutChannels = outputs / volume,
            TextDim = shapes.Size("condition_embedder.text_embedder.linear_1.weight", 1, 2),
            FreqDim = shapes.Size("condition_embedder.time_embedder.linear_1.weight", 1, 2),
            FfnDim = shapes.Size("blocks.0.ffn.net.0.proj.weight", 0, 2),
            NumLayers = shapes.Count("blocks.*.attn1.to_q.weight"),
            CrossAttnNorm = store.Contains("blocks.0.norm2.weight"),
            Eps = epsilon ?? 1e-6,
            ImageDim = shapes.OptionalSize($"{image}norm1.weight", 0, 1),
            AddedKvProjDim = shapes.OptionalSize("blocks.0.attn2.add_k_proj.weight", 1, 2),
            PosEmbedSeqLen = shapes.OptionalSize($"{image}pos_embed", 1, 3),
        };
        config.Validate();
        return config;
    }

    /// <inheritdoc cref="Transformer"/>
    public static AutoencoderKLWanConfig Vae(WeightStore store)
    {
        var shapes = new Shapes(store);
        bool residual = store.Contains("encoder.down_blocks.0.resnets.0.conv1.weight");
        int levels = shapes.Count("decoder.up_blocks.*.resnets.0.conv1.weight");
        int blocks = shapes.Count("decoder.up_blocks.0.resnets.*.conv1.weight") - 1;
        int width = shapes.Size("encoder.conv_in.weight", 0, 5), decoderWidth = shapes.Size("decoder.norm_out.gamma", 0, 4);
        int latents = shapes.Size("post_quant_conv.weight", 0, 5);
        string First(int level) => residual ? $"encoder.down_blocks.{level}.resnets.0" : $"encoder.down_blocks.{level * (blocks + 1)}";
        string Down(int level) => residual ? $"encoder.down_blocks.{level}.downsampler" : $"encoder.down_blocks.{(level * (blocks + 1)) + blocks}";
        int[] multiples = [.. Enumerable.Range(0, levels).Select(level => shapes.Size($"{First(level)}.conv1.weight", 0, 5) / Math.Max(width, 1))];
        int colours = shapes.Size("encoder.conv_in.weight", 1, 5), patch = (int)Math.Sqrt(colours / 3);
        decoderWidth /= Math.Max(multiples.FirstOrDefault(), 1);
        var config = new AutoencoderKLWanConfig
        {
            BaseDim = width,
            DecoderBaseDim = decoderWidth == width ? null : decoderWidth,
            ZDim = latents,
            DimMult = [.. multiples],
            NumResBlocks = blocks,
            TemperalDownsample = [.. Enumerable.Range(0, Math.Max(levels - 1, 0)).Select(level => store.Contains($"{Down(level)}.time_conv.weight"))],
            IsResidual = residual,
            InChannels = colours,
            OutChannels = shapes.Size("decoder.conv_out.weight", 0, 5),
            PatchSize = patch > 1 ? patch : null,
            LatentsMean = WanLatentStatistics.Mean(latents) ?? throw NoStatistics(store, latents),
            LatentsStd = WanLatentStatistics.Deviation(latents) ?? throw NoStatistics(store, latents),
        };
        config.Validate();
        return config;
    }

    /// <inheritdoc cref="Transformer"/>
    public static UMT5Config TextEncoder(WeightStore store)
    {
        var shapes = new Shapes(store);
        const string attention = "encoder.block.0.layer.0.SelfAttention.";
        string table = store.Contains("shared.weight") ? "shared.weight" : CheckpointParameters.TextEncoderNames["shared.weight"];
        int heads = shapes.Size($"{attention}relative_attention_bias.weight", 1, 2), inner = shapes.Size($"{attention}q.weight", 0, 2);
        if (heads == 0 || inner % heads != 0)
            throw new SoraException($"{store.Location}: {inner} channels cannot be shared among {heads} heads.");
        var config = new UMT5Config
        {
            DModel = shapes.Size(table, 1, 2),
            VocabSize = shapes.Size(table, 0, 2),
            NumHeads = heads,
            DKv = inner / heads,
            DFf = shapes.Size("encoder.block.0.layer.1.DenseReluDense.wi_0.weight", 0, 2),
            NumLayers = shapes.Count("encoder.block.*.layer.0.SelfAttention.q.weight"),
            RelativeAttentionNumBuckets = shapes.Size($"{attention}relative_attention_bias.weight", 0, 2),
        };
        config.Validate();
        return config;
    }

    /// <inheritdoc cref="Transformer"/>
    public static ClipVisionConfig ImageEncoder(WeightStore store)
    {
        var shapes = new Shapes(store);
        const string embeddings = "vision_model.embeddings.";
        int width = shapes.Size($"{embeddings}class_embedding", 0, 1), patch = shapes.Size($"{embeddings}patch_embedding.weight", 2, 4);
        int side = (int)Math.Sqrt(shapes.Size($"{embeddings}position_embedding.weight", 0, 2) - 1);
        if (width % ImageHeadDim != 0)
            throw new SoraException($"{store.Location}: {width} channels are no multiple of {ImageHeadDim}, a head's in CLIP ViT-H/14, the image encoder of every published model.");
        var config = new ClipVisionConfig
        {
            HiddenSize = width,
            IntermediateSize = shapes.Size("vision_model.encoder.layers.0.mlp.fc1.weight", 0, 2),
            NumHiddenLayers = shapes.Count("vision_model.encoder.layers.*.mlp.fc1.weight"),
            NumAttentionHeads = width / ImageHeadDim,
            ImageSize = side * patch,
            PatchSize = patch,
            HiddenAct = ClipVisionConfig.Gelu,
            ProjectionDim = 1024,
        };
        config.Validate();
        return config;
    }

    private static SoraException NoStatistics(WeightStore store, int channels) =>
        new($"{store.Location}: nothing says how the {channels} channels of its latents are scaled; only the published VAEs, of 16 and 48, can be read without a config.json.");

    private sealed class Shapes(WeightStore store)
    {
        public int Size(string name, int axis, int rank)
        {
            IReadOnlyList<long> shape = store.ShapeOf(name);
            return shape.Count == rank
                ? int.CreateSaturating(shape[axis])
                : throw new SoraException($"{store.PathOf(name)}: {name} has shape [{string.Join(", ", shape)}]; allowed: {rank} axes.");
        }

        public int? OptionalSize(string name, int axis, int rank) => store.Contains(name) ? Size(name, axis, rank) : null;

        /// <summary>How many blocks there are, numbered from 0.</summary>
        public int Count(string pattern)
        {
            int count = 0;
            while (store.Contains(pattern.Replace("*", $"{count}", StringComparison.Ordinal)))
                count++;
            return count;
        }
    }
}
