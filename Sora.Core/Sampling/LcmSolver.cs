namespace Sora.Sampling;

/// <summary>
/// Multistep consistency sampling (Song et al. 2023, arXiv 2303.01469, algorithm 1; Luo et al. 2023, arXiv 2310.04378; in
/// diffusers <c>FlowMatchLCMScheduler</c>): each step predicts the data and covers it with fresh noise of the next level,
/// x ← (1 − sigma_next)·(x − sigma·v) + sigma_next·noise. It is made for networks distilled to predict the data at once, in
/// 1 to 8 steps; it does not follow the flow, and more steps do not bring it nearer.
/// </summary>
/// <param name="schedule">The noise levels.</param>
/// <param name="noise">The noise of each step but the last.</param>
public sealed class LcmSolver(NoiseSchedule schedule, StepNoise noise) : ISolver
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
        Tensor data = Schedule.PredictData(velocity, sample, index);
        double next = Schedule.Sigmas[index + 1];
        return scope.MoveToOuter(next == 0 ? data : (data * (1 - next)) + (noise(index) * next));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
    }
}
