namespace Sora;

/// <summary>What a generation is busy with, in the order in which it happens.</summary>
public enum GenerationStage
{
    /// <summary>Reading the model's weights.</summary>
    LoadingModel,

    /// <summary>Turning the prompts into vectors.</summary>
    EncodingText,

    /// <summary>Turning the frames that the request gives into latents; left out where it gives none.</summary>
    EncodingFrames,

    /// <summary>Taking the latent from noise to data; a step is one of the sampler's.</summary>
    Denoising,

    /// <summary>Decoding the latent to frames; a step is one frame.</summary>
    Decoding,

    /// <summary>Encoding the frames to a file; a step is one frame.</summary>
    Saving,
}
