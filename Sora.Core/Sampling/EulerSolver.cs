namespace Sora.Sampling;

/// <summary>
/// First order: x ← x + (sigma_next − sigma)·v (Liu, Gong, Liu 2022, arXiv 2209.03003; in diffusers
/// <c>FlowMatchEulerDiscreteScheduler</c>).
/// </summary>
/// <param name="schedule">The noise levels.</param>
public sealed class EulerSolver(NoiseSchedule schedule) : ISolver
{
    /// <inheritdoc/>
    public NoiseSchedule Schedule { get; } = schedule;

    /// <inheritdoc/>
    public void Start()
    {
    }

    /// <inheritdoc/>
    public Tensor Step(Velocity velocity, Tensor sample, int index)
    {
        using DisposeScope scope = NewDisposeScope();
        return scope.MoveToOuter(sample + (Schedule.Evaluate(velocity, sample, index) * Schedule.Width(index)));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
    }
}
