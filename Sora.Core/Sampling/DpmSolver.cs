namespace Sora.Sampling;

/// <summary>
/// DPM-Solver++ (Lu et al. 2022, arXiv 2211.01095) as a multistep method, deterministic or, with noise for each step,
/// stochastic (its SDE form). In diffusers <c>DPMSolverMultistepScheduler</c> with <c>dpmsolver++</c> and
/// <c>sde-dpmsolver++</c>.
/// </summary>
/// <remarks>
/// With alpha = 1 − sigma, lambda = log alpha − log sigma, h = lambda_t − lambda_s and the newest data prediction m, a step
/// is x_t = sigma_t/sigma_s · x_s − alpha_t·(e^−h − 1)·m + what the difference quotients of earlier predictions add. The SDE
/// form has 2h in place of h, shrinks x_s by e^−h more, and adds sigma_t·√(1 − e^−2h) noise.
/// </remarks>
public sealed class DpmSolver : ISolver
{
    // Schedules of so many steps and more keep their order to the end (diffusers' lower_order_final).
    private const int ManySteps = 15;

    private readonly int _order;
    private readonly bool _trapezoid;
    private readonly bool _lowerOrderFinal;
    private readonly StepNoise? _noise;
    private readonly PredictionHistory _history;

    /// <summary>Creates a solver.</summary>
    /// <param name="schedule">The noise levels; they may begin at sigma 1, where lambda is infinite.</param>
    /// <param name="order">How many predictions a step uses: 1 to 3, with noise 1 to 2.</param>
    /// <param name="trapezoid">The second order's <c>heun</c> in place of its <c>midpoint</c> form.</param>
    /// <param name="lowerOrderFinal">Whether the order falls to 1 towards the end of a schedule below 15 steps, which keeps them stable.</param>
    /// <param name="noise">The noise of each step, which makes the solver stochastic; null: none.</param>
    /// <exception cref="ArgumentOutOfRangeException">The order lies outside its range.</exception>
    public DpmSolver(NoiseSchedule schedule, int order = 2, bool trapezoid = false, bool lowerOrderFinal = true, StepNoise? noise = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(order, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(order, noise is null ? 3 : 2);
        Schedule = schedule;
        (_order, _trapezoid, _lowerOrderFinal, _noise) = (order, trapezoid, lowerOrderFinal, noise);
        _history = new(order);
    }

    /// <inheritdoc/>
    public NoiseSchedule Schedule { get; }

    /// <inheritdoc/>
    public void Start() => _history.Dispose();

    /// <inheritdoc/>
    public Tensor Step(Velocity velocity, Tensor sample, int index)
    {
        using DisposeScope scope = NewDisposeScope();
        _history.Add(Schedule.PredictData(velocity, sample, index), Schedule.Lambda(index));
        double sigma = Schedule.Sigmas[index], next = Schedule.Sigmas[index + 1];
        double h = Schedule.Lambda(index + 1) - Schedule.Lambda(index);        // ∞ from pure noise and to the data
        double decay = Math.Exp(-h), scaled = _noise is null ? h : 2 * h;
        Tensor result = (sample * (next / sigma * (_noise is null ? 1 : decay)))
            + (Correct(_history[0].Data, OrderAt(index), h, scaled) * (1 - next));
        double spread = next * Math.Sqrt(-double.ExpM1(-2 * h));
        return scope.MoveToOuter(_noise is null || spread == 0 ? result : result + (_noise(index) * spread));
    }

    /// <inheritdoc/>
    public void Dispose() => _history.Dispose();

    // The order that a step reaches: it grows with the history and falls where the step's end or the schedule's end asks for it.
    private int OrderAt(int index)
    {
        int left = Schedule.Steps - index;
        // Without noise there is no logarithm of it, and a repeated level has no width to divide by.
        if (Schedule.Sigmas[index + 1] == 0 || Schedule.Sigmas[index + 1] == Schedule.Sigmas[index])
            return 1;
        int most = _lowerOrderFinal && Schedule.Steps < ManySteps ? Math.Min(_order, left) : _order;
        return Math.Min(most, _history.Count);
    }

    /// <summary>
    /// The integral over the step of the polynomial through the predictions, in units of alpha_t:
    /// −(e^−H − 1)·D0 + ((e^−H − 1)/H + 1)·D1 − ((e^−H − 1 + H)/H² − 1/2)·D2.
    /// </summary>
    private Tensor Correct(Tensor current, int order, double h, double scaled)
    {
        double fall = double.ExpM1(-scaled);                                   // −1 where h is infinite
        Tensor result = current * -fall;
        if (order == 1)
            return result;
        // A prediction at pure noise lies infinitely far away in lambda, and its difference quotient is zero.
        double r0 = (_history[0].Lambda - _history[1].Lambda) / h;
        Tensor first = (current - _history[1].Data) * (1 / r0);
        if (order == 2)
            return result + (first * (_trapezoid ? (fall / scaled) + 1 : -0.5 * fall));
        double r1 = (_history[1].Lambda - _history[2].Lambda) / h;
        Tensor change = first - ((_history[1].Data - _history[2].Data) * (1 / r1));
        double share = double.IsFinite(r1) ? 1 / (r0 + r1) : 0;
        return result
            + ((first + (change * (r0 * share))) * ((fall / scaled) + 1))
            - (change * (share * (((fall + scaled) / (scaled * scaled)) - 0.5)));
    }
}
