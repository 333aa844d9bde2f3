using System.Text.Json;
using Sora.Tests.Text;
using Sora.Weights;
using Xunit;

namespace Sora.Tests.Weights;

/// <summary>Which parameter the name of a LoRA's tensor means.</summary>
public class LoraTargetTests
{
    [Theory]
    [InlineData("transformer.blocks.0.attn1.to_q.lora_A.weight", "blocks.0.attn1.to_q", "Down", "Diffusers")]
    [InlineData("transformer.blocks.12.ffn.net.0.proj.lora_B.weight", "blocks.12.ffn.net.0.proj", "Up", "Diffusers")]
    [InlineData("base_model.model.blocks.0.attn1.to_out.0.lora_B.default.weight", "blocks.0.attn1.to_out.0", "Up", "Diffusers")]
    [InlineData("transformer.condition_embedder.time_proj.lora.up.weight", "condition_embedder.time_proj", "Up", "Diffusers")]
    [InlineData("transformer.proj_out.lora_B.bias", "proj_out", "UpBias", "Diffusers")]
    [InlineData("diffusion_model.blocks.3.self_attn.o.lora_down.weight", "blocks.3.attn1.to_out.0", "Down", "Original")]
    [InlineData("model.diffusion_model.blocks.3.cross_attn.k_img.alpha", "blocks.3.attn2.add_k_proj", "Alpha", "Original")]
    [InlineData("blocks.39.ffn.2.lora_A.default.weight", "blocks.39.ffn.net.2", "Down", "Original")]
    [InlineData("diffusion_model.blocks.0.norm3.diff_b", "blocks.0.norm2", "Bias", "Original")]
    [InlineData("diffusion_model.head.head.diff", "proj_out", "Weight", "Original")]
    [InlineData("diffusion_model.blocks.7.diff_m", "blocks.7.scale_shift_table", "Weight", "Original")]
    [InlineData("diffusion_model.head.diff_m", "scale_shift_table", "Weight", "Original")]
    [InlineData("diffusion_model.blocks.7.modulation.diff", "blocks.7.scale_shift_table", "Weight", "Original")]
    [InlineData("lora_unet_blocks_0_cross_attn_k_img.lora_up.weight", "blocks.0.attn2.add_k_proj", "Up", "Kohya")]
    [InlineData("lora_unet_blocks_10_ffn_0.alpha", "blocks.10.ffn.net.0.proj", "Alpha", "Kohya")]
    [InlineData("lora_unet__blocks_10_self_attn_norm_q.diff", "blocks.10.attn1.norm_q", "Weight", "Kohya")]
    [InlineData("lora_unet_time_projection_1.lora_down.weight", "condition_embedder.time_proj", "Down", "Kohya")]
    public void ANameIsAModuleAndAPart(string name, string module, string part, string spelling) =>
        Assert.Equal(new LoraTarget(module, Enum.Parse<LoraPart>(part), Enum.Parse<LoraSpelling>(spelling)), LoraTarget.Find(name));

    [Theory]
    [InlineData("transformer.blocks.0.attn1.to_q.weight")]
    [InlineData("transformer.blocks.0.attn1.to_q.dora_scale")]
    [InlineData("transformer.blocks.0.attn9.to_q.lora_A.weight")]
    [InlineData("diffusion_model.double_blocks.0.img_attn.qkv.lora_down.weight")]
    [InlineData("lora_unet_double_blocks_0_img_attn_qkv.lora_down.weight")]
    [InlineData("lora_unet_blocks_x_ffn_0.lora_down.weight")]
    [InlineData("lora_unet_blocks__ffn_0.lora_down.weight")]
    [InlineData("lora_unet_blocks_*_ffn_0.lora_down.weight")]
    [InlineData("lora_unet_.lora_down.weight")]
    [InlineData("lora_te_text_model_encoder_layers_0.lora_down.weight")]
    [InlineData(".diff_m")]
    [InlineData("alpha")]
    [InlineData("")]
    public void OtherNamesMeanNothing(string name) => Assert.Null(LoraTarget.Find(name));

    [Theory]
    [InlineData("wan2.1-flf2v-14b__transformer")]
    [InlineData("wan2.1-t2v-1.3b__transformer")]
    public void EveryModuleOfAPublishedModelIsFoundInEverySpelling(string list)
    {
        using JsonDocument json = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(TestFiles.Folder("checkpoints"), $"{list}.json")));
        var modules = json.RootElement.GetProperty("parameters").EnumerateObject()
            .Where(parameter => parameter.Name.EndsWith(".weight", StringComparison.Ordinal))
            .Select(parameter => parameter.Name[..^".weight".Length]);
        Assert.All(modules, module =>
        {
            string original = OriginalNames.Transformer.ToOriginal(module)!;
            Assert.Equal(module, LoraTarget.Find($"transformer.{module}.diff")?.Module);
            Assert.Equal(module, LoraTarget.Find($"diffusion_model.{original}.diff")?.Module);
            Assert.Equal(module, LoraTarget.Find($"lora_unet_{original.Replace('.', '_')}.diff")?.Module);
        });
    }
}
