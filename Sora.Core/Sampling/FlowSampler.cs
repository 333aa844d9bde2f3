namespace Sora.Sampling;

/// <summary>Carries a sample along the flow, from noise to data.</summary>
public static class FlowSampler
{
    /// <summary>Integrates the velocity with a solver. Every step's intermediate tensors are freed with the step.</summary>
    /// <param name="velocity">The velocity v = noise − data.</param>
    /// <param name="noise">The sample at the first noise level [B, C, t, h, w]; it is left as it is.</param>
    /// <param name="solver">The solver with its schedule.</param>
    /// <param name="stepDone">Told the number of steps done after each.</param>
    /// <param name="start">The first step; one above 0 starts from a sample that is partly noise.</param>
    /// <param name="cancellationToken">Honoured before each step.</param>
    /// <returns>The data [B, C, t, h, w], float32, a new tensor.</returns>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static Tensor Sample(
        Velocity velocity, Tensor noise, ISolver solver, Action<int>? stepDone = null, int start = 0,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(velocity);
        ArgumentNullException.ThrowIfNull(noise);
        ArgumentNullException.ThrowIfNull(solver);
        NoiseSchedule schedule = solver.Schedule;
        ArgumentOutOfRangeException.ThrowIfNegative(start);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(start, schedule.Steps);

        using IDisposable noGradients = no_grad();
        using DisposeScope scope = NewDisposeScope();
        Tensor sample = noise.to(float32).alias();
        solver.Start();
        try
        {
            for (int index = start; index < schedule.Steps; index++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                Tensor next;
                using (DisposeScope step = NewDisposeScope())
                {
                    Tensor slope = velocity(sample, new(index, schedule.Sigmas[index], schedule.Times[index]));
                    next = step.MoveToOuter(solver.Step(slope, sample, index));
                }
                sample.Dispose();
                sample = next;
                stepDone?.Invoke(index + 1 - start);
            }
        }
        finally
        {
            solver.Start();
        }
        return scope.MoveToOuter(sample);
    }
}
