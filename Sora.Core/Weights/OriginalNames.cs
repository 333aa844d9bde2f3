namespace Sora.Weights;

/// <summary>
/// What the published names of diffusers and transformers, which this library uses, were in the files of the original Wan
/// release and of those who took their names from it. Every renaming of the library is in these tables.
/// </summary>
/// <remarks>
/// The names of github.com/Wan-Video/Wan2.1, wan/modules/{model,vae,t5,clip}.py, and Wan2.2's vae2_2.py; beside them those of
/// diffusers' AutoencoderKLWan and WanTransformer3DModel and of transformers' UMT5EncoderModel and CLIPVisionModel.
/// </remarks>
internal static class OriginalNames
{
    private const int MostLevels = 8;

    /// <summary>The transformer: <c>blocks.0.self_attn.q</c> is <c>blocks.0.attn1.to_q</c>.</summary>
    public static NameTable Transformer { get; } = new(
    [
        new("patch_embedding", "patch_embedding"),
        new("text_embedding.0", "condition_embedder.text_embedder.linear_1"),
        new("text_embedding.2", "condition_embedder.text_embedder.linear_2"),
        new("time_embedding.0", "condition_embedder.time_embedder.linear_1"),
        new("time_embedding.2", "condition_embedder.time_embedder.linear_2"),
        new("time_projection.1", "condition_embedder.time_proj"),
        new("img_emb.proj.0", "condition_embedder.image_embedder.norm1"),
        new("img_emb.proj.1", "condition_embedder.image_embedder.ff.net.0.proj"),
        new("img_emb.proj.3", "condition_embedder.image_embedder.ff.net.2"),
        new("img_emb.proj.4", "condition_embedder.image_embedder.norm2"),
        new("img_emb.emb_pos", "condition_embedder.image_embedder.pos_embed"),
        new("blocks.*.self_attn.q", "blocks.*.attn1.to_q"),
        new("blocks.*.self_attn.k", "blocks.*.attn1.to_k"),
        new("blocks.*.self_attn.v", "blocks.*.attn1.to_v"),
        new("blocks.*.self_attn.o", "blocks.*.attn1.to_out.0"),
        new("blocks.*.self_attn.norm_q", "blocks.*.attn1.norm_q"),
        new("blocks.*.self_attn.norm_k", "blocks.*.attn1.norm_k"),
        new("blocks.*.cross_attn.q", "blocks.*.attn2.to_q"),
        new("blocks.*.cross_attn.k", "blocks.*.attn2.to_k"),
        new("blocks.*.cross_attn.v", "blocks.*.attn2.to_v"),
        new("blocks.*.cross_attn.o", "blocks.*.attn2.to_out.0"),
        new("blocks.*.cross_attn.norm_q", "blocks.*.attn2.norm_q"),
        new("blocks.*.cross_attn.norm_k", "blocks.*.attn2.norm_k"),
        new("blocks.*.cross_attn.k_img", "blocks.*.attn2.add_k_proj"),
        new("blocks.*.cross_attn.v_img", "blocks.*.attn2.add_v_proj"),
        new("blocks.*.cross_attn.norm_k_img", "blocks.*.attn2.norm_added_k"),
        // The affine norm: diffusers counts norms in the order of use, Wan put the cross-attention's last.
        new("blocks.*.norm3", "blocks.*.norm2"),
        new("blocks.*.ffn.0", "blocks.*.ffn.net.0.proj"),
        new("blocks.*.ffn.2", "blocks.*.ffn.net.2"),
        new("blocks.*.modulation", "blocks.*.scale_shift_table"),
        new("head.head", "proj_out"),
        new("head.modulation", "scale_shift_table"),
        // This library's own, which the original has not.
        new("texture_embedding", "texture_embedding"),
        new("texture_embedding.samples.drawings", "texture_embedding.samples.drawings"),
        new("texture_embedding.samples.code", "texture_embedding.samples.code"),
    ]);

    /// <summary>UMT5 as in <c>models_t5_umt5-xxl-enc-bf16.pth</c>.</summary>
    public static NameTable TextEncoder { get; } = new(
    [
        new("token_embedding", "shared"),
        new("blocks.*.norm1", "encoder.block.*.layer.0.layer_norm"),
        new("blocks.*.attn.q", "encoder.block.*.layer.0.SelfAttention.q"),
        new("blocks.*.attn.k", "encoder.block.*.layer.0.SelfAttention.k"),
        new("blocks.*.attn.v", "encoder.block.*.layer.0.SelfAttention.v"),
        new("blocks.*.attn.o", "encoder.block.*.layer.0.SelfAttention.o"),
        new("blocks.*.pos_embedding.embedding", "encoder.block.*.layer.0.SelfAttention.relative_attention_bias"),
        new("blocks.*.norm2", "encoder.block.*.layer.1.layer_norm"),
        new("blocks.*.ffn.gate.0", "encoder.block.*.layer.1.DenseReluDense.wi_0"),
        new("blocks.*.ffn.fc1", "encoder.block.*.layer.1.DenseReluDense.wi_1"),
        new("blocks.*.ffn.fc2", "encoder.block.*.layer.1.DenseReluDense.wo"),
        new("norm", "encoder.final_layer_norm"),
    ]);

    /// <summary>
    /// The visual half of CLIP as in <c>models_clip_open-clip-xlm-roberta-large-vit-huge-14.pth</c>, which keeps queries, keys
    /// and values of a layer in one matrix, in this order.
    /// </summary>
    public static NameTable ImageEncoder { get; } = new(
    [
        new("visual.cls_embedding", "vision_model.embeddings.class_embedding", Axes: 1),
        new("visual.pos_embedding", "vision_model.embeddings.position_embedding.weight", Axes: 2),
        new("visual.patch_embedding", "vision_model.embeddings.patch_embedding"),
        new("visual.pre_norm", "vision_model.pre_layrnorm"),
        new("visual.transformer.*.norm1", "vision_model.encoder.layers.*.layer_norm1"),
        new("visual.transformer.*.attn.to_qkv", "vision_model.encoder.layers.*.self_attn.q_proj", 0, 3),
        new("visual.transformer.*.attn.to_qkv", "vision_model.encoder.layers.*.self_attn.k_proj", 1, 3),
        new("visual.transformer.*.attn.to_qkv", "vision_model.encoder.layers.*.self_attn.v_proj", 2, 3),
        new("visual.transformer.*.attn.proj", "vision_model.encoder.layers.*.self_attn.out_proj"),
        new("visual.transformer.*.norm2", "vision_model.encoder.layers.*.layer_norm2"),
        new("visual.transformer.*.mlp.0", "vision_model.encoder.layers.*.mlp.fc1"),
        new("visual.transformer.*.mlp.2", "vision_model.encoder.layers.*.mlp.fc2"),
        new("visual.post_norm", "vision_model.post_layernorm"),
    ]);

    /// <summary>UMT5 as llama.cpp names it, in GGUF files.</summary>
    public static NameTable TextEncoderGguf { get; } = new(
    [
        new("token_embd", "shared"),
        new("enc.blk.*.attn_norm", "encoder.block.*.layer.0.layer_norm"),
        new("enc.blk.*.attn_q", "encoder.block.*.layer.0.SelfAttention.q"),
        new("enc.blk.*.attn_k", "encoder.block.*.layer.0.SelfAttention.k"),
        new("enc.blk.*.attn_v", "encoder.block.*.layer.0.SelfAttention.v"),
        new("enc.blk.*.attn_o", "encoder.block.*.layer.0.SelfAttention.o"),
        new("enc.blk.*.attn_rel_b", "encoder.block.*.layer.0.SelfAttention.relative_attention_bias"),
        new("enc.blk.*.ffn_norm", "encoder.block.*.layer.1.layer_norm"),
        new("enc.blk.*.ffn_gate", "encoder.block.*.layer.1.DenseReluDense.wi_0"),
        new("enc.blk.*.ffn_up", "encoder.block.*.layer.1.DenseReluDense.wi_1"),
        new("enc.blk.*.ffn_down", "encoder.block.*.layer.1.DenseReluDense.wo"),
        new("enc.output_norm", "encoder.final_layer_norm"),
    ]);

    /// <summary>
    /// The VAE. The original counts layers through a level or, in Wan 2.1's decoder, through all levels, so that its names depend
    /// on how many residual blocks a level has.
    /// </summary>
    /// <param name="residualBlocks">Residual blocks a level of the encoder; the decoder has one more.</param>
    /// <param name="isResidual">The network of Wan 2.2, with shortcuts around the resampling.</param>
    public static NameTable Vae(int residualBlocks, bool isResidual) => new(
    [
        new("conv1", "quant_conv"),
        new("conv2", "post_quant_conv"),
        .. Ends("encoder"),
        .. Ends("decoder"),
        new("linear_code", "linear_code"),
        .. isResidual ? Levels22(residualBlocks) : Levels21(residualBlocks),
    ]);

    private static IEnumerable<NameRow> Ends(string half) =>
    [
        new($"{half}.conv1", $"{half}.conv_in"),
        .. Residual($"{half}.middle.0", $"{half}.mid_block.resnets.0"),
        new($"{half}.middle.1.norm", $"{half}.mid_block.attentions.0.norm"),
        new($"{half}.middle.1.to_qkv", $"{half}.mid_block.attentions.0.to_qkv"),
        new($"{half}.middle.1.proj", $"{half}.mid_block.attentions.0.proj"),
        .. Residual($"{half}.middle.2", $"{half}.mid_block.resnets.1"),
        new($"{half}.head.0", $"{half}.norm_out"),
        new($"{half}.head.2", $"{half}.conv_out"),
    ];

    private static IEnumerable<NameRow> Levels21(int residualBlocks)
    {
        // Encoder: one list in either.
        foreach (NameRow row in (NameRow[])
            [.. Residual("encoder.downsamples.*", "encoder.down_blocks.*"), .. Resampling("encoder.downsamples.*", "encoder.down_blocks.*")])
            yield return row;
        // Decoder: one list in the original, one a level in diffusers.
        for (int level = 0, layer = 0; level < MostLevels; level++)
        {
            for (int block = 0; block <= residualBlocks; block++)
                foreach (NameRow row in Residual($"decoder.upsamples.{layer++}", $"decoder.up_blocks.{level}.resnets.{block}"))
                    yield return row;
            foreach (NameRow row in Resampling($"decoder.upsamples.{layer++}", $"decoder.up_blocks.{level}.upsamplers.0"))
                yield return row;
        }
    }

    private static IEnumerable<NameRow> Levels22(int residualBlocks) =>
    [
        .. Enumerable.Range(0, residualBlocks).SelectMany(block =>
            Residual($"encoder.downsamples.*.downsamples.{block}", $"encoder.down_blocks.*.resnets.{block}")),
        .. Resampling($"encoder.downsamples.*.downsamples.{residualBlocks}", "encoder.down_blocks.*.downsampler"),
        .. Enumerable.Range(0, residualBlocks + 1).SelectMany(block =>
            Residual($"decoder.upsamples.*.upsamples.{block}", $"decoder.up_blocks.*.resnets.{block}")),
        .. Resampling($"decoder.upsamples.*.upsamples.{residualBlocks + 1}", "decoder.up_blocks.*.upsampler"),
    ];

    private static IEnumerable<NameRow> Residual(string original, string diffusers) =>
    [
        new($"{original}.residual.0", $"{diffusers}.norm1"),
        new($"{original}.residual.2", $"{diffusers}.conv1"),
        new($"{original}.residual.3", $"{diffusers}.norm2"),
        new($"{original}.residual.6", $"{diffusers}.conv2"),
        new($"{original}.shortcut", $"{diffusers}.conv_shortcut"),
    ];

    private static IEnumerable<NameRow> Resampling(string original, string diffusers) =>
    [
        new($"{original}.resample.1", $"{diffusers}.resample.1"),
        new($"{original}.time_conv", $"{diffusers}.time_conv"),
    ];
}
