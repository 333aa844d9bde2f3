using Sora.Conditioning;
using Sora.Continuation;
using Sora.Drafts;
using Sora.Frames;
using Sora.Weights;

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
    private static readonly ValueRange<int> Frames = new(1, MostFrames);
    private static readonly ValueRange<int> Rate = new(1, 240);
    // Schedules have a thousand training times: more steps than that would repeat them.
    private static readonly ValueRange<int> StepCounts = new(1, 1000);
    private static readonly ValueRange<float> Guidance = new(0, 100);
    private static readonly ValueRange<float> Shares = new(0, 1);
    private static readonly ValueRange<float> Shifts = new(0.01f, 100);
    private static readonly ValueRange<double> Strengths = new(0, 1);
    private static readonly ValueRange<double> Changes = new(0, 1);
    private const double DefaultStrength = 0.8; // of WanVideoToVideoPipeline
    private const double DefaultMaskedStrength = 1; // the region is to become something else
    private const double DefaultDraftStrength = 0.5; // measured: docs/capabilities.md
    private static readonly ValueRange<int> Feathers = new(0, 128);
    private static readonly ValueRange<double> Drafts = new(0.05, 0.95);
    private const double DefaultVariationStrength = 0.1; // most of the picture stays
    internal const int MostFrames = 1_000_000;
    private static readonly ValueRange<long> Seeds = new(0, long.MaxValue);

    /// <summary>The text that the video shows. A part beyond the model's text length is cut, and the video says so.</summary>
    /// <value>Not empty, without NUL characters.</value>
    public string Prompt { get; init => field = RequireText(value); } = RequireText(Prompt);

    /// <summary>What the person wrote, where <see cref="Prompt"/> was made from it by a <see cref="Prompts.IPromptEnhancer"/>; it does not change the video.</summary>
    /// <value>Not empty, without NUL characters; by default null: the prompt is the person's own.</value>
    public string? OriginalPrompt { get; init => field = value is null ? null : RequireText(value); }

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
    /// <see cref="GuidanceScale"/> of the expert that takes the less noisy steps, in models with two
    /// (<see cref="ModelLimits.HasTwoExperts"/>).
    /// </summary>
    /// <value>
    /// 0 to 100; by default the request's <see cref="GuidanceScale"/> where it has one, else the model's. Always null in
    /// models with one transformer.
    /// </value>
    public float? LowNoiseGuidanceScale { get; init => field = Guidance.Require(nameof(LowNoiseGuidanceScale), value); }

    /// <summary>
    /// The noise levels at which guidance acts (Kynkäänniemi et al. 2024, arXiv 2404.07724). The steps at other levels are the
    /// model itself, which takes half the time; without guidance near pure noise and near the data, videos vary more and
    /// colours saturate less.
    /// </summary>
    /// <value>A part of 0 (data) to 1 (noise), both ends included; by default the model's, which is all of it in most.</value>
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
    /// <value>0.01 to 100; by default the model's for the size, <see cref="ModelLimits.ShiftOf"/>.</value>
    public float? Shift { get; init => field = Shifts.Require(nameof(Shift), value); }

    /// <summary>The seed of the noise: the same request with the same seed gives the same video.</summary>
    /// <value>0 to 9223372036854775807; by default a random one, which the video reports.</value>
    public long? Seed { get; init => field = Seeds.Require(nameof(Seed), value); }

    /// <summary>
    /// The seed of a second noise, towards which the first is turned by <see cref="VariationStrength"/>: videos near that of
    /// <see cref="Seed"/>.
    /// </summary>
    /// <value>0 to 9223372036854775807; by default null: the noise is that of <see cref="Seed"/> alone.</value>
    public long? VariationSeed { get; init => field = Seeds.Require(nameof(VariationSeed), value); }

    /// <summary>
    /// How far the noise goes from that of <see cref="Seed"/> to that of <see cref="VariationSeed"/>, on the arc between
    /// them (spherical interpolation, Shoemake 1985): 0 is the first, 1 the second, small values stay near the first.
    /// </summary>
    /// <value>0 to 1; by default 0.1. Without a variation seed null.</value>
    public double? VariationStrength { get; init => field = Strengths.Require(nameof(VariationStrength), value); }

    /// <summary>
    /// Whether the last frame leads on to the first, so that the video can be repeated for ever. The video then has
    /// <see cref="FrameCount"/> − 1 frames: the one after its last would be its first again. It begins where neighbouring frames
    /// differ least.
    /// </summary>
    /// <value>By default false. A loop has no known frames and no source, and a <see cref="FrameCount"/> above 1.</value>
    public bool Loop { get; init; }

    /// <summary>
    /// Skips blocks of the transformer at steps where what the first block adds has changed by less than this share since the
    /// last step that was computed in full (<see cref="Sampling.StepCache"/>): faster, and a slightly different video. 0.05 to
    /// 0.1 skip little and are hard to tell from none; docs/performance.md has a table.
    /// </summary>
    /// <value>0 (every block at every step) to 1; null, the default, is 0.</value>
    public double? StepCache { get; init => field = Changes.Require(nameof(StepCache), value); }

    /// <summary>
    /// Prompts that take over from <see cref="Prompt"/>, each from a frame on. Each prompt's part of the video is made in windows of
    /// its own, which begin with the frames before.
    /// </summary>
    /// <value>In the order of time. Empty by default: <see cref="Prompt"/> holds to the end.</value>
    public ValueList<TimedPrompt> LaterPrompts { get; init => field = RequireOrdered(value); } = [];

    /// <summary>
    /// The length of the windows in which a long video is made one after the other, in memory that does not grow with it. A
    /// video of up to that many frames is one window.
    /// </summary>
    /// <value>
    /// 5 to 1000000 (with a temporal stride of 4), a <see cref="FrameCount"/> that the model can make. By default null: the
    /// video is one window up to 65 frames or the model's own <see cref="ModelLimits.FrameCount"/>, whichever is more, and a
    /// longer one, and one with <see cref="LaterPrompts"/>, has windows of the model's own length.
    /// </value>
    public int? WindowFrames { get; init => field = Frames.Require(nameof(WindowFrames), value); }

    /// <summary>How many frames a window takes over from the one before; more hold the motion better and take longer.</summary>
    /// <value>
    /// 1 to 10000, by default 9; taken down to whole latent frames (1 + 4k) and to half a window. Models that take a first
    /// frame only use 1. Null in a video of one window.
    /// </value>
    public int? OverlapFrames { get; init => field = Overlap.Range.Require(nameof(OverlapFrames), value); }

    /// <summary>Whether this request, with every value filled by <see cref="Resolve"/>, is made in windows.</summary>
    public bool IsInWindows => LaterPrompts.Count > 0 || FrameCount > WindowFrames;

    /// <summary>The solver that takes the steps.</summary>
    /// <value>By default the model's.</value>
    public Sampler? Sampler { get; init; }

    /// <summary>Frames that the video shows at given places: a first frame to animate, a first and a last one, any.</summary>
    /// <value>
    /// Each at another index, of the video's width and height; <see cref="KnownFrame"/> says what holds between them.
    /// Empty by default. Which the model can hold, and needs, is <see cref="ModelLimits.KnownFrames"/>.
    /// </value>
    public ValueList<KnownFrame> KnownFrames { get; init => field = RequireDistinct(value); } = [];

    /// <summary>A video to start from, as many frames as this one has, of its width and height.</summary>
    /// <value>By default null: the video starts from noise alone. Width, height and number of frames are the source's where they are open.</value>
    public ValueList<VideoFrame>? Source { get; init => field = value is not { Count: 0 } ? value : throw new SoraException("Source has no frames; leave it null for a video from noise."); }

    /// <summary>
    /// How much of <see cref="Source"/> is made anew: 0 gives it back as the autoencoder renders it, 1 makes a new video. The
    /// source gets the noise of the step that this share lies from the end, and the last
    /// floor(<see cref="Steps"/> · Strength) steps are taken from there (Meng et al. 2021, arXiv 2108.01073).
    /// </summary>
    /// <value>0 to 1; by default 0.8, with a <see cref="Mask"/> 1. Without a source null.</value>
    public double? Strength { get; init => field = Strengths.Require(nameof(Strength), value); }

    /// <summary>
    /// Which part of <see cref="Source"/> is changed; the pixels where it is 0 come back as the source has them, bit for bit. While
    /// denoising, the latent's cells (8x8 pixels of four frames in most models) in which nothing is changed are known, as
    /// <see cref="KnownFrames"/> are, so what is made fits what is kept. Known frames stand over the mask there, but not in the pixels.
    /// </summary>
    /// <value>
    /// One mask for all frames, or one for each, of the video's size, with at least one pixel that is changed. Where all are, it is
    /// as without a mask. By default null: the whole source is changed.
    /// </value>
    public ValueList<FrameMask>? Mask { get; init => field = value is not { Count: 0 } ? value : throw new SoraException("Mask has no frames; leave it null to change the whole source."); }

    /// <summary>
    /// The width in pixels of the strip inside <see cref="Mask"/>'s edge over which what is made is drawn to the kept pixels beside
    /// it, so that the joint does not show; 0 leaves it as it is made.
    /// </summary>
    /// <value>0 to 128; by default half of <see cref="ModelLimits.SpatialStride"/>, 8 pixels in most models. Without a mask null.</value>
    public int? Feather { get; init => field = Feathers.Require(nameof(Feather), value); }

    /// <summary>
    /// Makes the video at this share of its size first, scales that draft up and refines it at full size with
    /// <see cref="DraftStrength"/>: composition and motion are the draft's, which large models find better at the size that they were
    /// trained at. <see cref="DraftedRequest.DraftOf"/> gives the draft's request.
    /// </summary>
    /// <value>
    /// 0.05 to 0.95; each side is rounded to the nearest multiple of <see cref="ModelLimits.SpatialStride"/>. By default null: no
    /// draft. A request with a draft has no source and is no loop.
    /// </value>
    public double? Draft { get; init => field = Drafts.Require(nameof(Draft), value); }

    /// <summary>How much of the draft is made anew at full size, as <see cref="Strength"/> of a source.</summary>
    /// <value>0 to 1; by default 0.5. Without a draft null.</value>
    public double? DraftStrength { get; init => field = Strengths.Require(nameof(DraftStrength), value); }

    /// <summary>The noise in place of the seed's, C·t·h·w numbers, for comparisons with other programs.</summary>
    internal ReadOnlyMemory<float>? Noise { get; init; }

    /// <summary>Where the video's first latent frame stands in a longer one; the noise is a function of that.</summary>
    internal int FirstLatentFrame { get; init; }

    /// <summary>This request with every value filled: its own, else the model's default, else, for the seed, a random one.</summary>
    /// <exception cref="SoraException">
    /// The model cannot make this size or length; the message names every such value and the nearest valid ones.
    /// </exception>
    public VideoRequest Resolve(ModelLimits limits)
    {
        ArgumentNullException.ThrowIfNull(limits);
        int? window = WindowFrames ?? WindowPlan.DefaultWindow(this, FrameCount ?? limits.FrameCount, limits);
        int width = Width ?? Source?[0].Width ?? limits.Width, height = Height ?? Source?[0].Height ?? limits.Height, frames = FrameCount ?? Source?.Count ?? limits.FrameCount;
        VideoRequest resolved = this with
        {
            WindowFrames = window,
            OverlapFrames = OverlapFrames ?? (LaterPrompts.Count > 0 || (FrameCount ?? limits.FrameCount) > window ? WindowPlan.DefaultOverlap : null),
            NegativePrompt = NegativePrompt ?? limits.NegativePrompt,
            Width = width,
            Height = height,
            FrameCount = frames,
            FramesPerSecond = FramesPerSecond ?? limits.FramesPerSecond,
            Steps = Steps ?? limits.Steps,
            GuidanceScale = GuidanceScale ?? limits.GuidanceScale,
            LowNoiseGuidanceScale = LowNoiseGuidanceScale
                ?? (limits.HasTwoExperts ? GuidanceScale ?? limits.LowNoiseGuidanceScale ?? limits.GuidanceScale : null),
            GuidanceInterval = GuidanceInterval ?? limits.GuidanceInterval,
            GuidanceRescale = GuidanceRescale ?? 0,
            Shift = Shift ?? limits.ShiftOf(width, height, Math.Min(frames, window ?? frames)),
            Sampler = Sampler ?? limits.Sampler,
            Strength = Strength ?? (Source is null ? null : Mask is null ? DefaultStrength : DefaultMaskedStrength),
            Feather = Feather ?? (Mask is null ? null : limits.SpatialStride / 2),
            DraftStrength = DraftStrength ?? (Draft is null ? null : DefaultDraftStrength),
            VariationStrength = VariationStrength ?? (VariationSeed is null ? null : DefaultVariationStrength),
            // Nine digits at most, so that a person can type it again.
            Seed = Seed ?? Random.Shared.Next(1_000_000_000),
        };
        string[] problems = [.. resolved.Problems(limits)];
        return problems.Length == 0 ? resolved : throw new SoraException(string.Join(' ', problems));
    }

    private IEnumerable<string> Problems(ModelLimits limits)
    {
        string[] sizes =
        [
            .. StrideProblem(nameof(Width), Width!.Value, limits.SpatialStride),
            .. StrideProblem(nameof(Height), Height!.Value, limits.SpatialStride),
            .. LengthProblem(FrameCount!.Value, limits.TemporalStride),
        ];
        foreach (string problem in sizes)
            yield return problem;
        if (LowNoiseGuidanceScale is not null && !limits.HasTwoExperts)
            yield return "LowNoiseGuidanceScale is given, and this model has one transformer; GuidanceScale holds for all steps.";
        if (VariationSeed is null && VariationStrength is not null)
            yield return "VariationStrength is given without a VariationSeed; it says how far the noise goes towards that seed's.";
        if (Loop && (KnownFrames.Count > 0 || Source is not null))
            yield return "A loop from a prompt has no known frames and no source; to close a video to a loop, use VideoLoop.";
        if (Loop && sizes.Length == 0 && FrameCount == 1)
            yield return $"FrameCount 1 is no loop; nearest: {1 + limits.TemporalStride}.";
        if (Source is null && Strength is not null)
            yield return "Strength is given without a Source; it says how much of a source is made anew.";
        if (Source is not null && Source.Count != FrameCount)
            yield return $"Source has {Source.Count} frames and FrameCount is {FrameCount}; they must be equal.";
        foreach (VideoFrame frame in (Source ?? []).Where(HasOtherSize).Take(1))
            yield return $"Source has frames of {frame.Width}x{frame.Height} and the video is {Width}x{Height}; they must be equal.";
        foreach (string problem in MaskProblems())
            yield return problem;
        foreach (string problem in DraftProblems(limits, sizes.Length == 0))
            yield return problem;
        foreach (KnownFrame known in KnownFrames.Where(known => HasOtherSize(known.Frame)).Take(1))
            yield return $"The known frame at index {known.Index} is {known.Frame.Width}x{known.Frame.Height} and the video is {Width}x{Height}; they must be equal.";
        if (sizes.Length == 0 && IsInWindows && WindowPlan.Problem(this, limits) is { } windows)
            yield return windows;
        // The last frame is not known before the length is a valid one.
        if (sizes.Length == 0 && KnownFrameRules.Problem(limits.KnownFrames, KnownFrames.Select(known => known.Index), FrameCount.Value) is { } misplaced)
            yield return misplaced;
    }

    private IEnumerable<string> MaskProblems()
    {
        if (Mask is null && Feather is not null)
            yield return "Feather is given without a Mask; it says how wide the joint of a mask's edge is.";
        if (Mask is null)
            yield break;
        if (Source is null)
            yield return "Mask is given without a Source; it says which part of a source is changed.";
        if (Mask.Count != 1 && Mask.Count != FrameCount)
            yield return $"Mask has {Mask.Count} frames and the video {FrameCount}; allowed: 1, for all frames, or {FrameCount}.";
        foreach (FrameMask mask in Mask.Where(mask => mask.Width != Width || mask.Height != Height).Take(1))
            yield return $"Mask has frames of {mask.Width}x{mask.Height} and the video is {Width}x{Height}; they must be equal.";
        if (!Mask.Any(mask => mask.ChangesAnything))
            yield return "Mask is black everywhere, so nothing would be changed; white marks what is changed.";
    }

    private IEnumerable<string> DraftProblems(ModelLimits limits, bool sizesAreValid)
    {
        if (Draft is null && DraftStrength is not null)
            yield return "DraftStrength is given without a Draft; it says how much of a draft is made anew.";
        if (Draft is null)
            yield break;
        if (Source is not null)
            yield return "Draft is given with a Source, which is what the video starts from; leave one of them out.";
        if (Loop)
            yield return "Draft is given with Loop: a refined draft would not close; leave one of them out.";
        if (sizesAreValid && DraftSize.Problem(Width!.Value, Height!.Value, Draft.Value, limits.SpatialStride) is { } none)
            yield return none;
    }

    private bool HasOtherSize(VideoFrame frame) => frame.Width != Width || frame.Height != Height;

    private static ValueList<KnownFrame> RequireDistinct(ValueList<KnownFrame> known)
    {
        ArgumentNullException.ThrowIfNull(known, nameof(KnownFrames));
        foreach (IGrouping<int, KnownFrame> place in known.GroupBy(frame => frame.Index))
        {
            if (place.Count() > 1)
                throw new SoraException($"KnownFrames has {place.Count()} frames for index {place.Key}; a place has one.");
        }
        return known;
    }

    private static ValueList<TimedPrompt> RequireOrdered(ValueList<TimedPrompt> prompts)
    {
        ArgumentNullException.ThrowIfNull(prompts, nameof(LaterPrompts));
        foreach ((TimedPrompt before, TimedPrompt after) in prompts.Zip(prompts.Skip(1)))
        {
            if (after.FirstFrame <= before.FirstFrame)
                throw new SoraException($"LaterPrompts has one from frame {after.FirstFrame} after one from frame {before.FirstFrame}; they must be in the order of time.");
        }
        return prompts;
    }

    /// <summary>A prompt that can be used.</summary>
    /// <exception cref="SoraException">It cannot; the message says why.</exception>
    internal static string RequireText(string prompt)
    {
        ArgumentNullException.ThrowIfNull(prompt, nameof(Prompt));
        if (string.IsNullOrWhiteSpace(prompt))
            throw new SoraException("The prompt is empty; say in a few words what the video shows.");
        // Neither a tokenizer nor a file's tags can hold it.
        if (prompt.Contains('\0', StringComparison.Ordinal))
            throw new SoraException("The prompt contains a NUL character; remove it.");
        return prompt;
    }

    private static IEnumerable<string> StrideProblem(string setting, int given, int stride)
    {
        if (given % stride == 0)
            yield break;
        int below = given / stride * stride;
        yield return $"{setting} {given} is not a multiple of {stride}; nearest: {Nearest(below, below + stride, Side)}.";
    }

    private static IEnumerable<string> LengthProblem(int given, int stride)
    {
        if ((given - 1) % stride == 0)
            yield break;
        int below = ((given - 1) / stride * stride) + 1;
        yield return $"{nameof(FrameCount)} {given} is not {stride}n + 1; nearest: {Nearest(below, below + stride, Frames)}.";
    }

    private static string Nearest(int below, int above, ValueRange<int> range) =>
        below < range.Least ? $"{above}" : above > range.Greatest ? $"{below}" : $"{below}, {above}";
}
