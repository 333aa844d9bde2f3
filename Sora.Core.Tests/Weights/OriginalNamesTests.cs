using System.Text.Json;
using Sora.Weights;
using Xunit;

namespace Sora.Tests.Weights;

/// <summary>The tables of names, against every parameter of every published network.</summary>
public class OriginalNamesTests
{
    public static TheoryData<string> Checkpoints =>
    [
        .. Directory.GetFiles(TestWeights.Fixture("checkpoints"), "*.json")
            .Select(file => Path.GetFileNameWithoutExtension(file)).Order(StringComparer.Ordinal),
    ];

    [Theory]
    [MemberData(nameof(Checkpoints))]
    public void EveryPublishedParameterHasOneOriginalAndComesBack(string checkpoint)
    {
        NameTable table = TableOf(checkpoint);
        var sources = new HashSet<(string, int)>();
        foreach (string name in Parameters(checkpoint))
        {
            (string original, int part, int parts) = Assert.NotNull(table.Source(name));
            Assert.True(sources.Add((original, part)), $"{original} part {part} is the source of two parameters.");
            if (parts == 1)
                Assert.Equal(name, table.ToDiffusers(original));
            else
                Assert.Null(table.ToDiffusers(original));
        }
    }

    [Fact]
    public void WholeMatricesOfThreeAreSplitInOrder()
    {
        Assert.Equal(("visual.transformer.7.attn.to_qkv.bias", 1, 3),
            OriginalNames.ImageEncoder.Source("vision_model.encoder.layers.7.self_attn.k_proj.bias"));
        Assert.Equal(("visual.transformer.31.attn.to_qkv.weight", 2, 3),
            OriginalNames.ImageEncoder.Source("vision_model.encoder.layers.31.self_attn.v_proj.weight"));
    }

    [Theory]
    [InlineData("blocks.39.cross_attn.norm_k_img.weight", "blocks.39.attn2.norm_added_k.weight")]
    [InlineData("blocks.0.norm3.bias", "blocks.0.norm2.bias")]
    [InlineData("blocks.12.ffn.2.weight", "blocks.12.ffn.net.2.weight")]
    [InlineData("blocks.1.modulation", "blocks.1.scale_shift_table")]
    [InlineData("head.modulation", "scale_shift_table")]
    [InlineData("head.head.weight", "proj_out.weight")]
    [InlineData("img_emb.emb_pos", "condition_embedder.image_embedder.pos_embed")]
    [InlineData("img_emb.proj.3.weight", "condition_embedder.image_embedder.ff.net.2.weight")]
    [InlineData("blocks.3.self_attn.o", "blocks.3.attn1.to_out.0")] // A module, as LoRA files name it.
    [InlineData("blocks.3.self_attn.o.scale_weight", "blocks.3.attn1.to_out.0.scale_weight")]
    public void NamesOfTheTransformer(string original, string diffusers)
    {
        Assert.Equal(diffusers, OriginalNames.Transformer.ToDiffusers(original));
        Assert.Equal(original, OriginalNames.Transformer.ToOriginal(diffusers));
    }

    [Theory]
    [InlineData("blocks.*.self_attn.q.weight")]
    [InlineData("blocks.x.self_attn.q.weight")]
    [InlineData("blocks.0.self_attn.w.weight")]
    [InlineData("blocks.0.norm2.weight")] // The original's norm2 has no parameters.
    [InlineData("self_attn.q")]
    [InlineData("blocks..self_attn.q")]
    [InlineData("")]
    [InlineData(".")]
    public void NamesOfNoTransformer(string name) => Assert.Null(OriginalNames.Transformer.ToDiffusers(name));

    [Theory]
    [InlineData("decoder.upsamples.3.residual.0.gamma", "decoder.up_blocks.0.upsamplers.0.residual.0.gamma", false)]
    [InlineData("decoder.upsamples.3.time_conv.weight", "decoder.up_blocks.0.upsamplers.0.time_conv.weight", true)]
    [InlineData("decoder.upsamples.14.residual.6.bias", "decoder.up_blocks.3.resnets.2.conv2.bias", true)]
    [InlineData("encoder.downsamples.10.residual.2.weight", "encoder.down_blocks.10.conv1.weight", true)]
    [InlineData("encoder.middle.1.to_qkv.weight", "encoder.mid_block.attentions.0.to_qkv.weight", true)]
    [InlineData("conv2.weight", "post_quant_conv.weight", true)]
    public void NamesOfTheVae21(string original, string diffusers, bool known) =>
        Assert.Equal(known ? diffusers : null, OriginalNames.Vae(2, isResidual: false).ToDiffusers(original));

    [Theory]
    [InlineData("encoder.downsamples.1.downsamples.2.time_conv.weight", "encoder.down_blocks.1.downsampler.time_conv.weight")]
    [InlineData("decoder.upsamples.2.upsamples.0.shortcut.bias", "decoder.up_blocks.2.resnets.0.conv_shortcut.bias")]
    [InlineData("decoder.upsamples.0.upsamples.3.resample.1.weight", "decoder.up_blocks.0.upsampler.resample.1.weight")]
    [InlineData("decoder.head.0.gamma", "decoder.norm_out.gamma")]
    public void NamesOfTheVae22(string original, string diffusers) =>
        Assert.Equal(diffusers, OriginalNames.Vae(2, isResidual: true).ToDiffusers(original));

    [Theory]
    [InlineData("blocks.23.ffn.gate.0.weight", "encoder.block.23.layer.1.DenseReluDense.wi_0.weight")]
    [InlineData("blocks.0.pos_embedding.embedding.weight", "encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight")]
    [InlineData("norm.weight", "encoder.final_layer_norm.weight")]
    [InlineData("token_embedding.weight", "shared.weight")]
    public void NamesOfTheTextEncoder(string original, string diffusers) =>
        Assert.Equal(diffusers, OriginalNames.TextEncoder.ToDiffusers(original));

    [Theory]
    [InlineData("A_transformer_t2v")]
    [InlineData("B_transformer_i2v")]
    [InlineData("C_vae_wan21")]
    public void FilesUnderEitherNameHoldTheSame(string network)
    {
        NameTable table = network.Contains("vae", StringComparison.Ordinal) ? OriginalNames.Vae(1, isResidual: false) : OriginalNames.Transformer;
        using WeightFiles original = WeightFiles.Open(TestWeights.Fixture("J_original_names", network));
        using WeightFiles diffusers = WeightFiles.Open(TestWeights.Fixture(network));
        Assert.Equal(diffusers.Names.Order(StringComparer.Ordinal), original.Names.Select(name => table.ToDiffusers(name)).Order(StringComparer.Ordinal));
        Assert.All(original.Names, name => Assert.Equal(original.Bytes(name), diffusers.Bytes(table.ToDiffusers(name)!)));
    }

    private static NameTable TableOf(string checkpoint) =>
        checkpoint.EndsWith("__transformer", StringComparison.Ordinal) ? OriginalNames.Transformer
        : checkpoint.EndsWith("__text_encoder", StringComparison.Ordinal) ? OriginalNames.TextEncoder
        : checkpoint.EndsWith("__image_encoder", StringComparison.Ordinal) ? OriginalNames.ImageEncoder
        : OriginalNames.Vae(2, checkpoint.Contains("2.2", StringComparison.Ordinal));

    private static List<string> Parameters(string checkpoint)
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(TestWeights.Fixture("checkpoints", checkpoint + ".json")));
        return [.. document.RootElement.GetProperty("parameters").EnumerateObject().Select(parameter => parameter.Name)];
    }
}
