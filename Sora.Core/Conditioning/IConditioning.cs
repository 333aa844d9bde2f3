using Sora.Patches;
using Sora.Sampling;

namespace Sora.Conditioning;

/// <summary>
/// How known frames enter the denoising. Which way a model takes follows from its configs: see <see cref="Conditionings"/>.
/// A solver knows nothing of it: it steps the whole latent, and what it makes of the known part is not used.
/// </summary>
public interface IConditioning : IDisposable
{
    /// <summary>What the image encoder made of the known frames; null in models without one.</summary>
    /// <value>[images, tokens, image_dim].</value>
    Tensor? ImageVectors { get; }

    /// <summary>The network's input at a step.</summary>
    /// <param name="sample">The sample [1, C, t, h, w].</param>
    /// <param name="step">Its noise level.</param>
    /// <returns>[1, in_channels, t, h, w].</returns>
    Tensor Input(Tensor sample, SamplingStep step);

    /// <summary>The time of every token at a step.</summary>
    /// <param name="grid">The video's patches.</param>
    /// <param name="step">The noise level of what is not known.</param>
    float[] Times(PatchGrid grid, SamplingStep step);

    /// <summary>The latent to decode, from the sample [1, C, t, h, w] after the last step.</summary>
    Tensor Finish(Tensor sample);
}
