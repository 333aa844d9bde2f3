namespace Sora.Sampling;

/// <summary>
/// Heun's method, second order: an Euler step, then the same step again along the mean of the slopes at both of its ends
/// (Karras et al. 2022, arXiv 2206.00364, algorithm 1; in diffusers <c>FlowMatchHeunDiscreteScheduler</c>). The step to the
/// data is Euler's alone, so that n steps compute the velocity 2n − 1 times.
/// </summary>
/// <param name="schedule">The noise levels.</param>
public sealed class HeunSolver(NoiseSchedule schedule) : ISolver
{
    /// <inheritdoc/>
    public NoiseSchedule Schedule { get; } = schedule;

    /// <inheritdoc/>
    public int Evaluations(int start = 0) => Math.Max(0, (2 * (Schedule.Steps - start)) - 1);

    /// <inheritdoc/>
    public void Start()
    {
    }

    /// <inheritdoc/>
    public Tensor Step(Velocity velocity, Tensor sample, int index)
    {
        using DisposeScope scope = NewDisposeScope();
        float width = Schedule.Width(index);
        Tensor slope = Schedule.Evaluate(velocity, sample, index);
        Tensor predicted = sample + (slope * width);
        // The last level has no time of its own, and needs none: nothing is left to correct for at the data.
        if (index + 1 == Schedule.Steps)
            return scope.MoveToOuter(predicted);
        Tensor slopeThere = Schedule.Evaluate(velocity, predicted, index + 1);
        return scope.MoveToOuter(sample + ((slope + slopeThere) * (width / 2)));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
    }
}
