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
    /// <exception cref="ArgumentOutOfRangeException">An argument lies outside its range.</exception>
    public static ISolver Create(Sampler sampler, int steps, double shift, SchedulerConfig config, bool legacySchedule = false)
    {
        ArgumentNullException.ThrowIfNull(config);
        return sampler switch
        {
            Sampler.Euler => new EulerSolver(NoiseSchedule.FlowMatchEuler(steps, shift, config.NumTrainTimesteps)),
            Sampler.UniPC => new UniPCSolver(
                NoiseSchedule.UniPC(steps, shift, config.NumTrainTimesteps, legacySchedule, config.FinalSigmasType == "zero"),
                config.SolverOrder,
                linearScale: config.SolverType == "bh1",
                config.LowerOrderFinal),
            _ => throw new ArgumentOutOfRangeException(nameof(sampler), sampler, "There is no such sampler."),
        };
    }
}
