namespace Sora.Weights;

/// <summary>How a LoRA file names the modules that it changes.</summary>
public enum LoraSpelling
{
    /// <summary>The modules of diffusers: <c>transformer.blocks.0.attn1.to_q.lora_A.weight</c>.</summary>
    Diffusers,

    /// <summary>
    /// The modules of the original release, as ComfyUI and most trainers write them:
    /// <c>diffusion_model.blocks.0.self_attn.q.lora_down.weight</c>.
    /// </summary>
    Original,

    /// <summary>The same with underscores for dots: <c>lora_unet_blocks_0_self_attn_q.lora_down.weight</c>.</summary>
    Kohya,
}
