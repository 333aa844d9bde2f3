namespace Sora.Sampling;

/// <summary>
/// UniPC (Zhao et al. 2023, arXiv 2302.04867) in its data-prediction form: a multistep predictor and, before each step
/// but the first, a corrector of the same order that reuses the velocity just computed, at no extra cost.
/// </summary>
/// <remarks>
/// With alpha = 1 − sigma, lambda = log alpha − log sigma, h = lambda_t − lambda_s and data predictions m = x − sigma·v,
/// both steps are x_t = sigma_t/sigma_s · x_s − alpha_t·(e^−h − 1)·m_s − alpha_t·B(h)·Σ rho_k·(m_k − m_s)/r_k, where r_k
/// places the prediction m_k at lambda_s + r_k·h and the weights rho solve equation (8) of the paper.
/// </remarks>
public sealed class UniPCSolver : ISolver
{
    private readonly int _order;
    private readonly bool _linearScale;
    private readonly bool _lowerOrderFinal;
    private readonly PredictionHistory _history;
    private Tensor? _last;
    private int _lastOrder;

    /// <summary>Creates a solver.</summary>
    /// <param name="schedule">The noise levels.</param>
    /// <param name="order">How many predictions a step uses, 1 to 3.</param>
    /// <param name="linearScale">B(h) = −h (<c>bh1</c>) in place of e^−h − 1 (<c>bh2</c>).</param>
    /// <param name="lowerOrderFinal">Whether the order falls to 1 towards the last step, which keeps few steps stable.</param>
    /// <exception cref="ArgumentOutOfRangeException">The order is not 1, 2 or 3.</exception>
    public UniPCSolver(NoiseSchedule schedule, int order = 2, bool linearScale = false, bool lowerOrderFinal = true)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(order, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(order, 3);
        Schedule = schedule;
        (_order, _linearScale, _lowerOrderFinal) = (order, linearScale, lowerOrderFinal);
        _history = new(order);
    }

    /// <inheritdoc/>
    public NoiseSchedule Schedule { get; }

    /// <inheritdoc/>
    public void Start()
    {
        _history.Dispose();
        _last?.Dispose();
        _last = null;
    }

    /// <inheritdoc/>
    public Tensor Step(Velocity velocity, Tensor sample, int index)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor data = Schedule.PredictData(velocity, sample, index);
        Tensor corrected = _last is null ? sample : Advance(_last, index - 1, _lastOrder, data);
        // The prediction is the one made from the sample before its correction.
        _history.Add(data, Schedule.Lambda(index));
        _last?.Dispose();
        _last = corrected.alias().DetachFromDisposeScope();
        // Without noise there is no logarithm of it: lambda is infinite, and the step to it returns the prediction.
        int order = Schedule.Sigmas[index + 1] == 0 ? 1 : Math.Min(_order, _history.Count);
        _lastOrder = _lowerOrderFinal ? Math.Min(order, Schedule.Steps - index) : order;
        return scope.MoveToOuter(Advance(corrected, index, _lastOrder, null));
    }

    /// <inheritdoc/>
    public void Dispose() => Start();

    /// <summary>
    /// x at noise level <paramref name="from"/> + 1 from x at <paramref name="from"/>; with the prediction made there, the
    /// corrector, without it, the predictor.
    /// </summary>
    private Tensor Advance(Tensor x, int from, int order, Tensor? there)
    {
        double sigma = Schedule.Sigmas[from], next = Schedule.Sigmas[from + 1];
        double lambda = Schedule.Lambda(from), h = Schedule.Lambda(from + 1) - lambda;
        double decay = Math.Exp(-h) - 1;                                   // −1 where h is infinite
        Tensor current = _history[0].Data;
        Tensor result = (x * (next / sigma)) - (current * ((1 - next) * decay));

        // A prediction at pure noise lies infinitely far away in lambda, and its difference quotient is zero.
        Prediction[] past = [.. Enumerable.Range(1, order - 1).Select(age => _history[age]).Where(p => double.IsFinite(p.Lambda))];
        double[] places = [.. past.Select(p => (p.Lambda - lambda) / h)];
        double scale = _linearScale && double.IsFinite(h) ? -h : decay;
        double[] weights = there is null
            ? UniPCWeights.OfPredictor(places, h, scale)
            : UniPCWeights.OfCorrector(places, h, scale);
        for (int k = 0; k < past.Length; k++)
            result = result - ((past[k].Data - current) * ((1 - next) * scale * weights[k] / places[k]));
        return there is null ? result : result - ((there - current) * ((1 - next) * scale * weights[^1]));
    }
}
