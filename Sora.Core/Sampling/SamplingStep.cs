namespace Sora.Sampling;

/// <summary>Where a sampling stands.</summary>
/// <param name="Index">The noise level's place in the schedule, counted from 0 at pure noise.</param>
/// <param name="Sigma">The noise level of the sample, 1 (noise) to 0 (data).</param>
/// <param name="Time">The time that the network is given for it, 0 to 1000.</param>
public readonly record struct SamplingStep(int Index, float Sigma, float Time);

/// <summary>Predicts the velocity v = noise − data at a sample.</summary>
/// <param name="sample">The sample [B, C, t, h, w], float32; not to be changed or disposed.</param>
/// <param name="step">The sample's noise level.</param>
/// <returns>The velocity, of the sample's shape.</returns>
public delegate Tensor Velocity(Tensor sample, SamplingStep step);

/// <summary>
/// The fresh noise that a stochastic solver adds. It is a function of the step alone, so that a video is the same whatever
/// else is sampled beside it, and whichever step the sampling starts from.
/// </summary>
/// <param name="index">The step, 0 to the schedule's steps − 1.</param>
/// <returns>Standard normal numbers, of the sample's shape and on its device.</returns>
public delegate Tensor StepNoise(int index);
