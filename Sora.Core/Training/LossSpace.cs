namespace Sora.Training;

/// <summary>In what the error of a predicted velocity is measured.</summary>
public enum LossSpace
{
    /// <summary>In the normalised latent: every channel counts alike.</summary>
    Latents,

    /// <summary>
    /// In the latent, each channel weighted by how much it changes the decoded pixels (<see cref="PixelWeights"/>): what the error
    /// would be in pixels if the decoder were linear and its channels apart.
    /// </summary>
    Pixels,
}
