namespace Sora.Weights;

/// <summary>
/// <c>sora.json</c>: what a model makes where a request leaves a value open. The file is optional, and so is each field;
/// diffusers ignores it.
/// </summary>
/// <exception cref="SoraException">A value lies outside its range; the message names field and range.</exception>
public sealed record RequestDefaults : ModelConfig
{
    /// <summary>The file's name in a model folder.</summary>
    public const string FileName = "sora.json";

    /// <summary>Width in pixels (<c>width</c>).</summary>
    /// <value>1 to 16384; 832 where nothing says otherwise.</value>
    public int Width { get; init => field = Within(value, 1, 16384, "width"); } = 832;

    /// <summary>Height in pixels (<c>height</c>).</summary>
    /// <value>1 to 16384; 480 where nothing says otherwise.</value>
    public int Height { get; init => field = Within(value, 1, 16384, "height"); } = 480;

    /// <summary>Number of frames (<c>frame_count</c>).</summary>
    /// <value>1 to 1000000; 81 where nothing says otherwise.</value>
    public int FrameCount { get; init => field = Within(value, 1, 1_000_000, "frame_count"); } = 81;

    /// <summary>Frames a second at which the video plays (<c>fps</c>).</summary>
    /// <value>1 to 240; 16 where nothing says otherwise.</value>
    public int FramesPerSecond { get; init => field = Within(value, 1, 240, "fps"); } = 16;

    /// <summary>Number of denoising steps (<c>steps</c>).</summary>
    /// <value>1 to 1000; 50 where nothing says otherwise.</value>
    public int Steps { get; init => field = Within(value, 1, 1000, "steps"); } = 50;

    /// <summary>Guidance scale (<c>guidance_scale</c>).</summary>
    /// <value>0 to 100; 5 where nothing says otherwise.</value>
    public float GuidanceScale { get; init => field = Within(value, 0, 100, "guidance_scale"); } = 5;

    /// <summary>
    /// Guidance scale of the expert for the less noisy steps (<c>guidance_scale_2</c>, diffusers' name); null in models
    /// with one transformer, and where it is that of <see cref="GuidanceScale"/>.
    /// </summary>
    /// <value>0 to 100, or null.</value>
    public float? LowNoiseGuidanceScale { get; init => field = Within(value, 0, 100, "guidance_scale_2"); }

    /// <summary>The noise levels at which guidance acts (<c>guidance_interval</c>, written <c>"0.7:1"</c>).</summary>
    /// <value>A part of 0 to 1; all of it where nothing says otherwise.</value>
    public SigmaInterval GuidanceInterval { get; init; } = SigmaInterval.All;

    /// <summary>The solver (<c>sampler</c>).</summary>
    /// <value>A name of <see cref="SamplerNames"/>; the scheduler's where nothing says otherwise.</value>
    public Sampler Sampler { get; init; } = Sampler.UniPC;

    /// <summary>How far steps are moved towards noise (<c>shift</c>).</summary>
    /// <value>0.01 to 100; the scheduler's where nothing says otherwise.</value>
    public float Shift { get; init => field = Within(value, 0.01f, 100, "shift"); } = 1;

    /// <summary>
    /// The number of patches of a video that <see cref="Shift"/> is for (<c>shift_tokens</c>); other sizes have it times
    /// <see cref="Sampling.SizeShift"/>.
    /// </summary>
    /// <value>1 to 1000000; null, and one shift for all sizes, where nothing says otherwise.</value>
    public int? ShiftTokens { get; init => field = Within(value, 1, 1_000_000, "shift_tokens"); }

    /// <summary>The text that guidance steers away from (<c>negative_prompt</c>).</summary>
    /// <value>Any text; empty where nothing says otherwise.</value>
    public string NegativePrompt { get; init; } = "";

    /// <summary>The most tokens of a prompt, to which every prompt is filled up (<c>max_sequence_length</c>).</summary>
    /// <value>1 to 65536; 512 where nothing says otherwise.</value>
    public int MaxSequenceLength { get; init => field = Within(value, 1, 65536, "max_sequence_length"); } = 512;

    /// <summary>Whether the model was trained with a noise level for each token (<c>per_token_time</c>).</summary>
    /// <value>The index's <see cref="ModelIndex.ExpandTimesteps"/> where nothing says otherwise.</value>
    public bool PerTokenTime { get; init; }

    /// <summary>
    /// Whether the last channels of the latent are a map of what is where, which the transformer draws for itself (<c>semantic_map</c>,
    /// <see cref="Training.FlowTrainingConfig.SemanticMap"/>).
    /// </summary>
    /// <value>False where nothing says otherwise.</value>
    public bool SemanticMap { get; init; }

    /// <summary>
    /// The part of the drawn world whose captions the model was trained on (<c>world</c>), a name that
    /// <see cref="Training.SpriteWorld.SpriteWorldConfig.Find"/> knows.
    /// </summary>
    /// <value>Null for other models.</value>
    public string? World { get; init; }

    /// <summary>How the model takes a few steps in place of many (<c>few_steps</c>); the other fields hold with them, too.</summary>
    /// <value>Null for models that bring no LoRA for it, and for those with two transformers.</value>
    public FewStepDefaults? FewSteps { get; init; }

    /// <summary>
    /// Reads a <c>sora.json</c>; fields that it leaves out have the value that <paramref name="absent"/> has.
    /// </summary>
    /// <exception cref="SoraException">
    /// The file cannot be read or is not valid; the message names file, field and range.
    /// </exception>
    public static RequestDefaults Load(string path, RequestDefaults? absent = null) =>
        ConfigFile.Load(path, fields => Read(fields, absent ?? new RequestDefaults()));

    /// <summary>Reads the text of a <c>sora.json</c>; <paramref name="source"/> names it in messages.</summary>
    /// <exception cref="SoraException">The text is not valid; the message names field and range.</exception>
    public static RequestDefaults Parse(string json, string source = FileName, RequestDefaults? absent = null) =>
        ConfigFile.Parse(json, source, fields => Read(fields, absent ?? new RequestDefaults()));

    private static RequestDefaults Read(ConfigFields fields, RequestDefaults absent)
    {
        ConfigFields? few = fields.OptionalObject("few_steps");
        return Read(fields, absent, few is null ? absent.FewSteps : FewStepDefaults.Read(few)) with
        {
            UnknownFields = [.. fields.Unknown(), .. few?.Unknown().Select(field => $"few_steps.{field}") ?? []],
        };
    }

    private static RequestDefaults Read(ConfigFields fields, RequestDefaults absent, FewStepDefaults? fewSteps) => new()
    {
        Width = fields.Integer("width", absent.Width),
        Height = fields.Integer("height", absent.Height),
        FrameCount = fields.Integer("frame_count", absent.FrameCount),
        FramesPerSecond = fields.Integer("fps", absent.FramesPerSecond),
        Steps = fields.Integer("steps", absent.Steps),
        GuidanceScale = (float)fields.Number("guidance_scale", absent.GuidanceScale),
        LowNoiseGuidanceScale = (float?)fields.OptionalNumber("guidance_scale_2") ?? absent.LowNoiseGuidanceScale,
        GuidanceInterval = fields.OptionalText("guidance_interval") is { } interval ? SigmaInterval.Parse(interval) : absent.GuidanceInterval,
        Sampler = fields.OptionalText("sampler") is { } name ? SamplerNames.Parse(name) : absent.Sampler,
        Shift = (float)fields.Number("shift", absent.Shift),
        ShiftTokens = fields.OptionalInteger("shift_tokens") ?? absent.ShiftTokens,
        NegativePrompt = fields.Text("negative_prompt", absent.NegativePrompt),
        MaxSequenceLength = fields.Integer("max_sequence_length", absent.MaxSequenceLength),
        PerTokenTime = fields.Flag("per_token_time", absent.PerTokenTime),
        SemanticMap = fields.Flag("semantic_map", absent.SemanticMap),
        World = fields.OptionalText("world") ?? absent.World,
        FewSteps = fewSteps,
    };

    private protected override void Write(SortedDictionary<string, object?> fields)
    {
        if (FewSteps is { } few)
            fields["few_steps"] = few.ToFields();
        fields["fps"] = FramesPerSecond;
        fields["frame_count"] = FrameCount;
        fields["guidance_scale"] = GuidanceScale;
        if (LowNoiseGuidanceScale is { } scale)
            fields["guidance_scale_2"] = scale;
        if (GuidanceInterval != SigmaInterval.All)
            fields["guidance_interval"] = GuidanceInterval.ToString();
        fields["height"] = Height;
        fields["max_sequence_length"] = MaxSequenceLength;
        fields["negative_prompt"] = NegativePrompt;
        fields["per_token_time"] = PerTokenTime;
        fields["sampler"] = SamplerNames.NameOf(Sampler);
        if (SemanticMap)
            fields["semantic_map"] = true;
        fields["shift"] = Shift;
        if (ShiftTokens is { } tokens)
            fields["shift_tokens"] = tokens;
        fields["steps"] = Steps;
        fields["width"] = Width;
        if (World is not null)
            fields["world"] = World;
    }
}
