namespace Sora.Sampling;

/// <summary>
/// A way to integrate dx/dsigma = v(x, sigma) along a schedule, from noise to data. A solver may remember earlier steps:
/// it serves one sampling at a time, and its steps are taken in order.
/// </summary>
public interface ISolver : IDisposable
{
    /// <summary>The noise levels that the solver steps through.</summary>
    NoiseSchedule Schedule { get; }

    /// <summary>How often the velocity is computed from a step on to the end of the schedule; most solvers do it once a step.</summary>
    /// <param name="start">The first step, 0 to the schedule's steps.</param>
    int Evaluations(int start = 0) => Schedule.Steps - start;

    /// <summary>Forgets earlier steps; the next one may be any of the schedule.</summary>
    void Start();

    /// <summary>Takes the sample from noise level <paramref name="index"/> to the next.</summary>
    /// <param name="velocity">The velocity, for this step's noise level and any other that the solver looks at.</param>
    /// <param name="sample">The sample, float32.</param>
    /// <param name="index">The step, 0 to the schedule's steps − 1.</param>
    /// <returns>The sample at noise level <paramref name="index"/> + 1, a new tensor.</returns>
    Tensor Step(Velocity velocity, Tensor sample, int index);
}
