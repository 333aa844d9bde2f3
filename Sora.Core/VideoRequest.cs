namespace Sora;

/// <summary>
/// What to generate. Immutable: a variation is <c>request with { Seed = 43 }</c>. A property that is null takes the
/// model's default. Limits that hold for every model are checked when a property is set, those of one model by
/// <see cref="Resolve"/>.
/// </summary>
/// <param name="Prompt">The text that the video shows; not empty.</param>
/// <exception cref="SoraException">A value lies outside its range; the message names the nearest valid one.</exception>
public sealed record VideoRequest(string Prompt)
{
    // A side that H.264 can still code, and numbers whose products stay far from overflow. Memory is the real limit.
    private static readonly ValueRange<int> Side = new(1, 16384);
    private static readonly ValueRange<int> Frames = new(1, 1_000_000);
    private static readonly ValueRange<int> Rate = new(1, 240);
    // Schedules have a thousand training times: more steps than that would repeat them.
    private static readonly ValueRange<int> StepCounts = new(1, 1000);
    private static readonly ValueRange<float> Guidance = new(0, 100);
    private static readonly ValueRange<float> Shares = new(0, 1);
    private static readonly ValueRange<float> Shifts = new(0.01f, 100);
    private static readonly ValueRange<long> Seeds = new(0, long.MaxValue);

    /// <summary>The text that the video shows. A part beyond the model's text length is cut, and the video says so.</summary>
    /// <value>Not empty, without NUL characters.</value>
    public string Prompt { get; init => field = RequireText(value); } = RequireText(Prompt);

    /// <summary>The text that guidance steers away from.</summary>
    /// <value>Any text, empty included; by default the model's, which is empty in most.</value>
    public string? NegativePrompt { get; init; }

    /// <summary>Width in pixels, a multiple of the model's <see cref="ModelLimits.SpatialStride"/>.</summary>
    /// <value>1 to 16384; by default the model's.</value>
    public int? Width { get; init => field = Side.Require(nameof(Width), value); }

    /// <summary>Height in pixels, a multiple of the model's <see cref="ModelLimits.SpatialStride"/>.</summary>
    /// <value>1 to 16384; by default the model's.</value>
    public int? Height { get; init => field = Side.Require(nameof(Height), value); }

    /// <summary>Number of frames: the model's <see cref="ModelLimits.TemporalStride"/> times n, plus 1.</summary>
    /// <value>1 (a picture) to 1000000; by default the model's.</value>
    public int? FrameCount { get; init => field = Frames.Require(nameof(FrameCount), value); }

    /// <summary>Frames a second at which the video plays; it does not change what is generated.</summary>
    /// <value>1 to 240; by default the model's.</value>
    public int? FramesPerSecond { get; init => field = Rate.Require(nameof(FramesPerSecond), value); }

    /// <summary>Number of denoising steps; more take longer and follow the flow closer.</summary>
    /// <value>1 to 1000; by default the model's.</value>
    public int? Steps { get; init => field = StepCounts.Require(nameof(Steps), value); }

    /// <summary>
    /// How much further than the model itself the video follows the prompt (Ho and Salimans 2022, arXiv 2207.12598).
    /// 1 and below are the model itself, which takes half the time.
    /// </summary>
    /// <value>0 to 100; by default the model's.</value>
    public float? GuidanceScale { get; init => field = Guidance.Require(nameof(GuidanceScale), value); }

    /// <summary>
    /// The noise levels at which guidance acts (Kynkäänniemi et al. 2024, arXiv 2404.07724). The steps at other levels are the
    /// model itself, which takes half the time; without guidance near pure noise and near the data, videos vary more and
    /// colours saturate less.
    /// </summary>
    /// <value>A part of 0 (data) to 1 (noise), both ends included; by default all of it.</value>
    public SigmaInterval? GuidanceInterval { get; init; }

    /// <summary>
    /// How far the guided velocity is brought back to the spread that the prompt's own has, which keeps a large
    /// <see cref="GuidanceScale"/> from overexposing (Lin et al. 2023, arXiv 2305.08891, section 3.4).
    /// </summary>
    /// <value>0 (not at all) to 1 (to the same spread); by default 0.</value>
    public float? GuidanceRescale { get; init => field = Shares.Require(nameof(GuidanceRescale), value); }

    /// <summary>
    /// How far the steps are moved towards noise, sigma ← shift·sigma / (1 + (shift − 1)·sigma): 1 leaves them evenly
    /// spaced, large videos need more (Esser et al. 2024, arXiv 2403.03206, section 5.3.2).
    /// </summary>
    /// <value>0.01 to 100; by default the model's.</value>
    public float? Shift { get; init => field = Shifts.Require(nameof(Shift), value); }

    /// <summary>The seed of the noise: the same request with the same seed gives the same video.</summary>
    /// <value>0 to 9223372036854775807; by default a random one, which the video reports.</value>
    public long? Seed { get; init => field = Seeds.Require(nameof(Seed), value); }

    /// <summary>The solver that takes the steps.</summary>
    /// <value>By default the model's.</value>
    public Sampler? Sampler { get; init; }

    /// <summary>This request with every value filled: its own, else the model's default, else, for the seed, a random one.</summary>
    /// <exception cref="SoraException">
    /// The model cannot make this size or length; the message names every such value and the nearest valid ones.
    /// </exception>
    public VideoRequest Resolve(ModelLimits limits)
    {
        ArgumentNullException.ThrowIfNull(limits);
        string[] problems =
        [
            .. StrideProblem(nameof(Width), Width, limits.SpatialStride),
            .. StrideProblem(nameof(Height), Height, limits.SpatialStride),
            .. LengthProblem(FrameCount, limits.TemporalStride),
        ];
        if (problems.Length > 0)
            throw new SoraException(string.Join(' ', problems));

        return this with
        {
            NegativePrompt = NegativePrompt ?? limits.NegativePrompt,
            Width = Width ?? limits.Width,
            Height = Height ?? limits.Height,
            FrameCount = FrameCount ?? limits.FrameCount,
            FramesPerSecond = FramesPerSecond ?? limits.FramesPerSecond,
            Steps = Steps ?? limits.Steps,
            GuidanceScale = GuidanceScale ?? limits.GuidanceScale,
            GuidanceInterval = GuidanceInterval ?? SigmaInterval.All,
            GuidanceRescale = GuidanceRescale ?? 0,
            Shift = Shift ?? limits.Shift,
            Sampler = Sampler ?? limits.Sampler,
            // Nine digits at most, so that a person can type it again.
            Seed = Seed ?? Random.Shared.Next(1_000_000_000),
        };
    }

    private static string RequireText(string prompt)
    {
        ArgumentNullException.ThrowIfNull(prompt, nameof(Prompt));
        if (string.IsNullOrWhiteSpace(prompt))
            throw new SoraException("The prompt is empty; say in a few words what the video shows.");
        // Neither a tokenizer nor a file's tags can hold it.
        if (prompt.Contains('\0', StringComparison.Ordinal))
            throw new SoraException("The prompt contains a NUL character; remove it.");
        return prompt;
    }

    private static IEnumerable<string> StrideProblem(string setting, int? value, int stride)
    {
        if (value is not { } given || given % stride == 0)
            yield break;
        int below = given / stride * stride;
        yield return $"{setting} {given} is not a multiple of {stride}; nearest: {Nearest(below, below + stride, Side)}.";
    }

    private static IEnumerable<string> LengthProblem(int? value, int stride)
    {
        if (value is not { } given || (given - 1) % stride == 0)
            yield break;
        int below = ((given - 1) / stride * stride) + 1;
        yield return $"{nameof(FrameCount)} {given} is not {stride}n + 1; nearest: {Nearest(below, below + stride, Frames)}.";
    }

    private static string Nearest(int below, int above, ValueRange<int> range) =>
        below < range.Least ? $"{above}" : above > range.Greatest ? $"{below}" : $"{below}, {above}";
}
