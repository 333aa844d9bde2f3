namespace Sora.Sampling;

/// <summary>Carries a sample along the flow, from noise to data.</summary>
public static class FlowSampler
{
    /// <summary>
    /// Integrates the velocity with a solver. What an evaluation of the velocity makes on its way is freed with the
    /// evaluation, what a step makes with the step.
    /// </summary>
    /// <param name="velocity">The velocity v = noise − data.</param>
    /// <param name="noise">The sample at the first noise level [B, C, t, h, w]; it is left as it is.</param>
    /// <param name="solver">The solver with its schedule.</param>
    /// <param name="evaluated">
    /// Told after each evaluation of the velocity how many are done, of the solver's <see cref="ISolver.Evaluations"/>.
    /// </param>
    /// <param name="start">The first step; one above 0 starts from a sample that is partly noise.</param>
    /// <param name="cancellationToken">Honoured before each evaluation.</param>
    /// <returns>The data [B, C, t, h, w], float32, a new tensor.</returns>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static Tensor Sample(
        Velocity velocity, Tensor noise, ISolver solver, Action<int>? evaluated = null, int start = 0,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(velocity);
        ArgumentNullException.ThrowIfNull(noise);
        ArgumentNullException.ThrowIfNull(solver);
        ArgumentOutOfRangeException.ThrowIfNegative(start);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(start, solver.Schedule.Steps);

        using IDisposable noGradients = no_grad();
        using DisposeScope scope = NewDisposeScope();
        Tensor sample = noise.to(float32).alias();
        int evaluations = 0;
        solver.Start();
        try
        {
            for (int index = start; index < solver.Schedule.Steps; index++)
            {
                Tensor next;
                using (DisposeScope step = NewDisposeScope())
                    next = step.MoveToOuter(solver.Step(Evaluate, sample, index));
                sample.Dispose();
                sample = next;
            }
        }
        finally
        {
            solver.Start();
        }
        return scope.MoveToOuter(sample);

        Tensor Evaluate(Tensor x, SamplingStep step)
        {
            cancellationToken.ThrowIfCancellationRequested();
            Tensor slope;
            using (DisposeScope evaluation = NewDisposeScope())
                slope = evaluation.MoveToOuter(velocity(x, step));
            evaluated?.Invoke(++evaluations);
            return slope;
        }
    }
}
