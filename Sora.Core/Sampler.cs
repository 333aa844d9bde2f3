namespace Sora;

/// <summary>The solver that carries the latent from noise to data along the flow.</summary>
/// <remarks><see cref="SamplerNames"/> reads and writes their names.</remarks>
public enum Sampler
{
    /// <summary>First order, one step along the velocity: <c>euler</c> (<c>FlowMatchEulerDiscreteScheduler</c>).</summary>
    Euler,

    /// <summary>
    /// Second order predictor and corrector at the same cost a step: <c>unipc</c> (<c>UniPCMultistepScheduler</c>;
    /// Zhao et al. 2023, arXiv 2302.04867).
    /// </summary>
    UniPC,
}
