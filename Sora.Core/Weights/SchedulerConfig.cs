using Sora.Sampling;

namespace Sora.Weights;

/// <summary>
/// How a model's noise levels are spaced and which solver it is published with: <c>scheduler_config.json</c> of a
/// <c>FlowMatchEulerDiscreteScheduler</c> or a <c>UniPCMultistepScheduler</c>. Options that this library does not
/// implement are refused, not ignored.
/// </summary>
/// <exception cref="SoraException">A value lies outside its range; the message names field and range.</exception>
public sealed record SchedulerConfig : ModelConfig
{
    /// <summary>Euler steps along the flow.</summary>
    public const string Euler = "FlowMatchEulerDiscreteScheduler";

    /// <summary>The multistep predictor-corrector of Zhao et al. 2023 (arXiv 2302.04867).</summary>
    public const string UniPC = "UniPCMultistepScheduler";

    private const string Flow = "flow_prediction";
    private const string Preconditioned = "preconditioned_flow";

    /// <summary>The value of <c>_class_name</c>.</summary>
    /// <value><see cref="Euler"/> or <see cref="UniPC"/>.</value>
    public required string ClassName { get; init => field = OneOf(value, "_class_name", Euler, UniPC); }

    /// <summary>
    /// How far steps are moved towards noise, sigma ← shift·sigma / (1 + (shift − 1)·sigma): <c>shift</c> in files of
    /// <see cref="Euler"/>, <c>flow_shift</c> in those of <see cref="UniPC"/>.
    /// </summary>
    /// <value>0.01 to 100; 3 for 480p and 5 for 720p in Wan.</value>
    public double Shift { get; init => field = Within(value, 0.01, 100, "shift"); } = 1;

    /// <summary>The time that stands for pure noise, in the numbers that the model was trained with.</summary>
    /// <value>1 to 1000000; 1000 in every published model.</value>
    public int NumTrainTimesteps { get; init => field = Within(value, 1, 1_000_000, "num_train_timesteps"); } = 1000;

    /// <summary>How many past predictions UniPC uses.</summary>
    /// <value>1 to 3.</value>
    public int SolverOrder { get; init => field = Within(value, 1, 3, "solver_order"); } = 2;

    /// <summary>UniPC's B(h): h in <c>bh1</c>, e^h − 1 in <c>bh2</c>.</summary>
    /// <value><c>bh1</c> or <c>bh2</c>.</value>
    public string SolverType { get; init => field = OneOf(value, "solver_type", "bh1", "bh2"); } = "bh2";

    /// <summary>What the model predicts.</summary>
    /// <value>
    /// <c>flow_prediction</c>: the velocity, noise minus data; or <c>preconditioned_flow</c>, which diffusers does not know:
    /// see <see cref="FlowPrediction.Preconditioned"/>.
    /// </value>
    public string PredictionType { get; init => field = OneOf(value, "prediction_type", Flow, Preconditioned); } = Flow;

    /// <summary>The last channels, which are told earlier than the others: <c>lead_channels</c> and <c>lead_gain</c>, which diffusers does not know.</summary>
    /// <value>Null: none.</value>
    public ChannelLead? Lead { get; init; }

    /// <summary>How many channels, the last before the leading ones, the model gives from the others without seeing them: <c>detail_channels</c>, which diffusers does not know.</summary>
    /// <value>0 to 65536. Default 0.</value>
    public int Details { get; init => field = Within(value, 0, 65536, "detail_channels"); }

    /// <summary>What the model is given of a sample and predicts.</summary>
    public SamplePrediction Prediction
    {
        get => new(PredictionType == Preconditioned ? FlowPrediction.Preconditioned : FlowPrediction.Velocity, Lead, Details);
        init
        {
            PredictionType = value.Output == FlowPrediction.Preconditioned ? Preconditioned : Flow;
            Lead = value.Lead;
            Details = value.Details;
        }
    }

    /// <summary>Whether UniPC's order falls in the last steps, which keeps few steps stable.</summary>
    public bool LowerOrderFinal { get; init; } = true;

    /// <summary>The noise level after the last step.</summary>
    /// <value><c>zero</c> or <c>sigma_min</c>.</value>
    public string FinalSigmasType { get; init => field = OneOf(value, "final_sigmas_type", "zero", "sigma_min"); } = "zero";

    /// <summary>Whether noise levels are those of the flow.</summary>
    /// <value>Only true.</value>
    public bool UseFlowSigmas
    {
        get;
        init => field = value ? value : throw new SoraException(
            "use_flow_sigmas is false; allowed: true, the model is a flow.");
    } = true;

    /// <summary>The sampler that stands for this class.</summary>
    public Sampler Sampler => ClassName == UniPC ? Sampler.UniPC : Sampler.Euler;

    /// <summary>Reads a <c>scheduler_config.json</c>.</summary>
    /// <exception cref="SoraException">
    /// The file cannot be read or is not valid; the message names file, field and range.
    /// </exception>
    public static SchedulerConfig Load(string path) => ConfigFile.Load(path, Read);

    /// <summary>
    /// Reads the text of a <c>scheduler_config.json</c>; <paramref name="source"/> names it in messages.
    /// </summary>
    /// <exception cref="SoraException">The text is not valid; the message names field and range.</exception>
    public static SchedulerConfig Parse(string json, string source = "scheduler_config.json") =>
        ConfigFile.Parse(json, source, Read);

    private static SchedulerConfig Read(ConfigFields fields)
    {
        string className = OneOf(fields.Text("_class_name"), "_class_name", Euler, UniPC);
        foreach (string option in (string[])
            ["use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas", "use_dynamic_shifting", "thresholding",
             "invert_sigmas", "stochastic_sampling"])
            fields.Unsupported(option, "false");
        fields.Unsupported("shift_terminal", "null");
        SchedulerConfig config = className == UniPC ? ReadUniPC(fields) : ReadEuler(fields);
        return config with { UnknownFields = fields.Unknown() };
    }

    private static SchedulerConfig ReadEuler(ConfigFields fields)
    {
        // Bounds of the shift that depends on a picture's size, which use_dynamic_shifting would turn on.
        fields.WithoutEffect("base_image_seq_len", "base_shift", "max_image_seq_len", "max_shift", "time_shift_type");
        return new SchedulerConfig
        {
            ClassName = Euler,
            Shift = fields.Number("shift", 1),
            NumTrainTimesteps = fields.Integer("num_train_timesteps", 1000),
        };
    }

    private static SchedulerConfig ReadUniPC(ConfigFields fields)
    {
        fields.Unsupported("predict_x0", "true");
        fields.Unsupported("disable_corrector", "[]");
        fields.Unsupported("solver_p", "null");
        // Noise levels of models that are not flows; use_flow_sigmas replaces them.
        fields.WithoutEffect("beta_start", "beta_end", "beta_schedule", "trained_betas", "dynamic_thresholding_ratio",
            "sample_max_value", "timestep_spacing", "steps_offset", "rescale_betas_zero_snr", "time_shift_type", "sigma_min",
            "sigma_max");
        return new SchedulerConfig
        {
            ClassName = UniPC,
            Shift = fields.Number("flow_shift", 1),
            NumTrainTimesteps = fields.Integer("num_train_timesteps", 1000),
            SolverOrder = fields.Integer("solver_order", 2),
            SolverType = fields.Text("solver_type", "bh2") switch
            {
                // Left over where a file was converted from another solver's; diffusers reads them as bh2 as well.
                "midpoint" or "heun" or "logrho" => "bh2",
                string type => type,
            },
            PredictionType = fields.Text("prediction_type", "epsilon"),
            Lead = fields.Integer("lead_channels", 0) is not 0 and int channels ? new(channels, fields.Number("lead_gain", 1)) : null,
            Details = fields.Integer("detail_channels", 0),
            LowerOrderFinal = fields.Flag("lower_order_final", true),
            FinalSigmasType = fields.Text("final_sigmas_type", "zero"),
            UseFlowSigmas = fields.Flag("use_flow_sigmas", false),
        };
    }

    private protected override void Write(SortedDictionary<string, object?> fields)
    {
        fields["_class_name"] = ClassName;
        fields["_diffusers_version"] = ModelIndex.DiffusersVersion;
        fields["num_train_timesteps"] = NumTrainTimesteps;
        fields["use_beta_sigmas"] = false;
        fields["use_exponential_sigmas"] = false;
        fields["use_karras_sigmas"] = false;
        if (ClassName == UniPC)
            WriteUniPC(fields);
        else
            WriteEuler(fields);
    }

    private void WriteEuler(SortedDictionary<string, object?> fields)
    {
        fields["base_image_seq_len"] = 256;
        fields["base_shift"] = 0.5;
        fields["invert_sigmas"] = false;
        fields["max_image_seq_len"] = 4096;
        fields["max_shift"] = 1.15;
        fields["shift"] = Shift;
        fields["shift_terminal"] = null;
        fields["stochastic_sampling"] = false;
        fields["time_shift_type"] = "exponential";
        fields["use_dynamic_shifting"] = false;
    }

    private void WriteUniPC(SortedDictionary<string, object?> fields)
    {
        fields["beta_end"] = 0.02;
        fields["beta_schedule"] = "linear";
        fields["beta_start"] = 0.0001;
        fields["disable_corrector"] = ValueList.Create<int>([]);
        fields["dynamic_thresholding_ratio"] = 0.995;
        fields["final_sigmas_type"] = FinalSigmasType;
        fields["flow_shift"] = Shift;
        if (Lead is { } lead)
        {
            fields["lead_channels"] = lead.Channels;
            fields["lead_gain"] = lead.Gain;
        }
        if (Details > 0)
            fields["detail_channels"] = Details;
        fields["lower_order_final"] = LowerOrderFinal;
        fields["predict_x0"] = true;
        fields["prediction_type"] = PredictionType;
        fields["rescale_betas_zero_snr"] = false;
        fields["sample_max_value"] = 1.0;
        fields["solver_order"] = SolverOrder;
        fields["solver_p"] = null;
        fields["solver_type"] = SolverType;
        fields["steps_offset"] = 0;
        fields["thresholding"] = false;
        fields["timestep_spacing"] = "linspace";
        fields["trained_betas"] = null;
        fields["use_flow_sigmas"] = UseFlowSigmas;
    }
}
