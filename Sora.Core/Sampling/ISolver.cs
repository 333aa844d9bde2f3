namespace Sora.Sampling;

/// <summary>
/// A way to integrate dx/dsigma = v(x, sigma) along a schedule, from noise to data. A solver may remember earlier steps:
/// it serves one sampling at a time, and its steps are taken in order.
/// </summary>
public interface ISolver : IDisposable
{
    /// <summary>The noise levels that the solver steps through.</summary>
    NoiseSchedule Schedule { get; }

    /// <summary>Forgets earlier steps; the next one may be any of the schedule.</summary>
    void Start();

    /// <summary>Takes the sample from noise level <paramref name="index"/> to the next.</summary>
    /// <param name="velocity">The velocity at the sample.</param>
    /// <param name="sample">The sample, float32.</param>
    /// <param name="index">The step, 0 to the schedule's steps − 1.</param>
    /// <returns>The sample at noise level <paramref name="index"/> + 1, a new tensor.</returns>
    Tensor Step(Tensor velocity, Tensor sample, int index);
}
