using Sora.Weights;

namespace Sora.Sampling;

/// <summary>Makes the solver that a request names.</summary>
public static class Solvers
{
    /// <summary>A solver with the schedule that belongs to it.</summary>
    /// <param name="sampler">Which solver.</param>
    /// <param name="steps">Number of steps, from 1.</param>
    /// <param name="shift">How far steps are moved towards noise, above 0.</param>
    /// <param name="config">The model's own settings: training times, and UniPC's order and form.</param>
    /// <param name="legacySchedule">UniPC's schedule of diffusers before its pull request 12109 (January 2026) and of the original Wan code.</param>
    /// <param name="noise">The noise of each step, which <see cref="Sampler.Lcm"/> needs and the others do not use.</param>
    /// <exception cref="ArgumentNullException">The sampler needs noise, and none is given.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An argument lies outside its range.</exception>
    public static ISolver Create(
        Sampler sampler, int steps, double shift, SchedulerConfig config, bool legacySchedule = false, StepNoise? noise = null)
    {
        ArgumentNullException.ThrowIfNull(config);
        int times = config.NumTrainTimesteps;
        bool endsAtZero = config.FinalSigmasType == "zero";
        return sampler switch
        {
            Sampler.Euler => new EulerSolver(NoiseSchedule.FlowMatchEuler(steps, shift, times)),
            Sampler.Heun => new HeunSolver(NoiseSchedule.FlowMatchEuler(steps, shift, times)),
            Sampler.UniPC => new UniPCSolver(
                NoiseSchedule.UniPC(steps, shift, times, legacySchedule, endsAtZero),
                config.SolverOrder,
                linearScale: config.SolverType == "bh1",
                config.LowerOrderFinal),
            Sampler.DpmPlusPlus2M => new DpmSolver(
                NoiseSchedule.Dpm(steps, shift, times, endsAtZero), lowerOrderFinal: config.LowerOrderFinal),
            Sampler.Lcm => new LcmSolver(
                NoiseSchedule.FlowMatchEuler(steps, shift, times), noise ?? throw new ArgumentNullException(nameof(noise))),
            Sampler.EulerTrailing => new EulerSolver(NoiseSchedule.Trailing(steps, shift, times)),
            _ => throw new ArgumentOutOfRangeException(nameof(sampler), sampler, "There is no such sampler."),
        };
    }
}
