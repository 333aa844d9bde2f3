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

    /// <summary>
    /// Second order by two evaluations of the network a step, twice the time: <c>heun</c>
    /// (<c>FlowMatchHeunDiscreteScheduler</c>; Karras et al. 2022, arXiv 2206.00364).
    /// </summary>
    Heun,

    /// <summary>
    /// DPM-Solver++ of second order from the last two steps: <c>dpmpp-2m</c> (<c>DPMSolverMultistepScheduler</c>; Lu et al.
    /// 2022, arXiv 2211.01095).
    /// </summary>
    DpmPlusPlus2M,

    /// <summary>
    /// Consistency sampling, which predicts the data and adds fresh noise at each step: <c>lcm</c>
    /// (<c>FlowMatchLCMScheduler</c>; Luo et al. 2023, arXiv 2310.04378). For models distilled to 1 to 8 steps; others come
    /// out blurred.
    /// </summary>
    Lcm,

    /// <summary>
    /// First order over noise levels of which none is near the data: <c>euler-trailing</c>. With n steps and no shift they are
    /// 1, 1 − 1/n, … 1/n, where <see cref="Euler"/> takes its last step from 1/1000. The levels of models distilled to few steps.
    /// </summary>
    EulerTrailing,
}
