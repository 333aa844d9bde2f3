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
    public Tensor Step(Tensor velocity, Tensor sample, int index)
    {
        using DisposeScope scope = NewDisposeScope();
        float width = Schedule.Sigmas[index + 1] - Schedule.Sigmas[index];
        return scope.MoveToOuter(sample + (velocity.to(float32) * width));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
    }
}
