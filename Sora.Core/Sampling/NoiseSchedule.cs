namespace Sora.Sampling;

/// <summary>
/// The noise levels that a solver steps through: sigma 1 is noise, sigma 0 is data. Schedules are functions of the number
/// of steps and of the shift, sigma ← shift·s / (1 + (shift − 1)·s), which spends more steps near the noise the larger it
/// is (Esser et al. 2024, arXiv 2403.03206, section 5.3.2).
/// </summary>
public sealed class NoiseSchedule
{
    // What the noisiest level of UniPC stays below 1, so that the signal 1 − sigma has a logarithm.
    private const double LeastSignal = 1e-6;

    private readonly float[] _sigmas;
    private readonly float[] _times;

    private NoiseSchedule(IEnumerable<double> sigmas, float final, Func<double, double> time)
    {
        double[] levels = [.. sigmas];
        _sigmas = [.. levels.Select(s => (float)s), final];
        _times = [.. levels.Select(s => (float)time(s))];
    }

    /// <summary>The noise levels, steps + 1 of them; the last is 0 unless the schedule was asked to stop earlier.</summary>
    public IReadOnlyList<float> Sigmas => _sigmas;

    /// <summary>The time that the network is given at each step, 0 to the number of training times.</summary>
    public IReadOnlyList<float> Times => _times;

    /// <summary>The number of steps.</summary>
    public int Steps => _times.Length;

    /// <summary>
    /// The schedule of diffusers' <c>FlowMatchEulerDiscreteScheduler</c>. Its end points are shifted once for themselves,
    /// then all levels between them a second time, so that the last is shift(shift(1/<paramref name="trainSteps"/>)).
    /// </summary>
    /// <param name="steps">Number of steps, from 1.</param>
    /// <param name="shift">The shift, above 0.</param>
    /// <param name="trainSteps">Number of training times; times are fractions of it.</param>
    /// <exception cref="ArgumentOutOfRangeException">An argument lies outside its range.</exception>
    public static NoiseSchedule FlowMatchEuler(int steps, double shift, int trainSteps = 1000)
    {
        Check(steps, shift, trainSteps);
        double first = (float)Shift(1, shift);
        double last = (float)Shift(1.0 / trainSteps, shift);
        return new(Between(first, last, steps, steps - 1).Select(s => Shift(s, shift)), 0, s => (float)s * trainSteps);
    }

    /// <summary>The schedule of diffusers' <c>UniPCMultistepScheduler</c> with flow sigmas.</summary>
    /// <param name="steps">Number of steps, from 1.</param>
    /// <param name="shift">The shift, above 0.</param>
    /// <param name="trainSteps">Number of training times; the network gets whole ones.</param>
    /// <param name="legacy">
    /// The schedule of diffusers before its pull request 12109 (January 2026) and of the original Wan code, which starts at 0.999 before the shift.
    /// </param>
    /// <param name="endsAtZero">False repeats the last noise level in place of the final 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">An argument lies outside its range.</exception>
    public static NoiseSchedule UniPC(int steps, double shift, int trainSteps = 1000, bool legacy = false, bool endsAtZero = true)
    {
        Check(steps, shift, trainSteps);
        double[] sigmas = legacy
            ? [.. Between(1 - (1.0 / trainSteps), 0, steps, steps).Select(s => Shift(s, shift))]
            : [.. Between(1, 1.0 / trainSteps, steps, steps).Select(s => Shift(s, shift))];
        if (Math.Abs(sigmas[0] - 1) < LeastSignal)
            sigmas[0] -= LeastSignal;
        return new(sigmas, endsAtZero ? 0 : (float)sigmas[^1], s => Math.Truncate(s * trainSteps));
    }

    /// <summary>
    /// The schedule of diffusers' <c>DPMSolverMultistepScheduler</c> with flow sigmas: it starts at 1 − 1/<paramref name="trainSteps"/>
    /// before the shift.
    /// </summary>
    /// <param name="steps">Number of steps, from 1.</param>
    /// <param name="shift">The shift, above 0.</param>
    /// <param name="trainSteps">Number of training times; the network gets whole ones.</param>
    /// <param name="endsAtZero">False repeats the last noise level in place of the final 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">An argument lies outside its range.</exception>
    public static NoiseSchedule Dpm(int steps, double shift, int trainSteps = 1000, bool endsAtZero = true)
    {
        Check(steps, shift, trainSteps);
        return WholeTimes(Between(1 - (1.0 / trainSteps), 0, steps, steps), shift, trainSteps, endsAtZero);
    }

    /// <summary>
    /// The schedule that the original Wan code gives to its <c>FlowDPMSolverMultistepScheduler</c>: it starts at pure noise, sigma 1.
    /// </summary>
    /// <param name="steps">Number of steps, from 1.</param>
    /// <param name="shift">The shift, above 0.</param>
    /// <param name="trainSteps">Number of training times; the network gets whole ones.</param>
    /// <exception cref="ArgumentOutOfRangeException">An argument lies outside its range.</exception>
    public static NoiseSchedule WanDpm(int steps, double shift, int trainSteps = 1000)
    {
        Check(steps, shift, trainSteps);
        return WholeTimes(Between(1, 0, steps, steps), shift, trainSteps, endsAtZero: true);
    }

    /// <summary>
    /// The levels 1, 1 − 1/n, … 1/n of n equal steps, each the noisy end of its step, shifted once. Models distilled to few steps are
    /// made for them: every step is a full one (Lin et al. 2023, arXiv 2305.08891, section 3.3, calls such spacing trailing).
    /// </summary>
    /// <param name="steps">Number of steps, from 1.</param>
    /// <param name="shift">The shift, above 0.</param>
    /// <param name="trainSteps">Number of training times; times are fractions of it.</param>
    /// <exception cref="ArgumentOutOfRangeException">An argument lies outside its range.</exception>
    public static NoiseSchedule Trailing(int steps, double shift, int trainSteps = 1000)
    {
        Check(steps, shift, trainSteps);
        return FromSigmas([.. Between(1, 0, steps, steps)], shift, trainSteps);
    }

    /// <summary>A schedule of given noise levels, as distilled models are published with, and a final 0.</summary>
    /// <param name="sigmas">The noise levels before the shift, falling, above 0 and at most 1.</param>
    /// <param name="shift">The shift, above 0; 1 leaves the levels as they are.</param>
    /// <param name="trainSteps">Number of training times; times are fractions of it.</param>
    /// <exception cref="ArgumentException">There are no levels, or they do not fall.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An argument lies outside its range.</exception>
    public static NoiseSchedule FromSigmas(IReadOnlyList<double> sigmas, double shift, int trainSteps = 1000)
    {
        ArgumentNullException.ThrowIfNull(sigmas);
        Check(Math.Max(1, sigmas.Count), shift, trainSteps);
        if (sigmas.Count == 0 || !sigmas.All(s => s is > 0 and <= 1) || sigmas.Zip(sigmas.Skip(1)).Any(pair => pair.Second >= pair.First))
            throw new ArgumentException($"The noise levels {string.Join(", ", sigmas)} do not fall from at most 1 to above 0.", nameof(sigmas));
        return new(sigmas.Select(s => Shift(s, shift)), 0, s => (float)s * trainSteps);
    }

    /// <summary>Where the sampling stands before a step.</summary>
    /// <param name="index">The step, 0 to <see cref="Steps"/> − 1.</param>
    public SamplingStep At(int index) => new(index, _sigmas[index], _times[index]);

    /// <summary>What a step adds to sigma; negative.</summary>
    internal float Width(int index) => _sigmas[index + 1] - _sigmas[index];

    /// <summary>log alpha − log sigma at a noise level, half the logarithm of the signal's power over the noise's; −∞ at sigma 1, ∞ at 0.</summary>
    internal double Lambda(int index) => Math.Log(1.0 - _sigmas[index]) - Math.Log(_sigmas[index]);

    /// <summary>The velocity at a noise level, float32.</summary>
    internal Tensor Evaluate(Velocity velocity, Tensor sample, int index) => velocity(sample, At(index)).to(float32);

    /// <summary>The data x − sigma·v that the velocity at a noise level predicts.</summary>
    internal Tensor PredictData(Velocity velocity, Tensor sample, int index) => sample - (Evaluate(velocity, sample, index) * _sigmas[index]);

    private static NoiseSchedule WholeTimes(IEnumerable<double> sigmas, double shift, int trainSteps, bool endsAtZero)
    {
        double[] shifted = [.. sigmas.Select(s => Shift(s, shift))];
        return new(shifted, endsAtZero ? 0 : (float)shifted[^1], s => Math.Truncate(s * trainSteps));
    }

    // The first of a number of equal intervals' borders, counted from the first end.
    private static IEnumerable<double> Between(double first, double last, int count, int intervals)
    {
        double width = intervals == 0 ? 0 : (last - first) / intervals;
        for (int i = 0; i < count; i++)
            yield return i == intervals && i > 0 ? last : first + (i * width);
    }

    /// <summary>A noise level moved towards noise by a shift.</summary>
    internal static double Shift(double sigma, double shift) => shift * sigma / (1 + ((shift - 1) * sigma));

    private static void Check(int steps, double shift, int trainSteps)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(steps, 1);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(shift);
        ArgumentOutOfRangeException.ThrowIfLessThan(trainSteps, 1);
    }
}
