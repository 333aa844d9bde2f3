using Sora.Estimation;
using Sora.Latents;
using Sora.Patches;
using Sora.Sampling;
using Sora.Training.FineTuning;
using Sora.Training.Metrics;
using Sora.Training.SpriteWorld;
using Sora.Transformer;
using Sora.Weights;

namespace Sora.Training.Distillation;

/// <summary>
/// Teaches a model to take the way of many guided steps in a few without guidance. The teacher, the model as it is, makes
/// videos and keeps where each of the few steps begins and ends; the student learns the straight line between the two. The way is a
/// function of the noise, so there is nothing to average over: what is learned is what was made (trajectories as in Luhman and
/// Luhman 2021, arXiv 2101.02388; step by step as in Yan et al. 2024, arXiv 2405.07510, and Salimans and Ho 2022, arXiv
/// 2202.00512; guidance as in Meng et al. 2023, arXiv 2210.03142). It needs prompts and no videos.
/// </summary>
public sealed class Distiller : ITrainingTask, IDisposable
{
    private readonly DistillationConfig _config;
    private readonly Device _device;
    private readonly CaptionVectors _captions;
    private readonly TeacherVideos _videos;
    private readonly TunedModel _student;
    private readonly TrainingLoop _loop;
    private readonly Tensor? _weights;   // 1 C 1 1 1, of the channels in the loss; null: all alike
    private long _tokens;
    private double _operations;

    /// <summary>Makes the teacher's videos that are not there yet and loads the student, or goes on from the run folder's checkpoint.</summary>
    /// <param name="config">The distillation.</param>
    /// <param name="world">The drawn world, whose captions are the prompts; null where the config has a file of prompts.</param>
    /// <param name="computeType">The type of matrix products, and of weights that are frozen.</param>
    /// <param name="log">Told what is done.</param>
    /// <param name="cancellationToken">Stops between the teacher's steps; the videos made by then are kept.</param>
    /// <exception cref="SoraException">The model cannot be distilled, or model or prompts cannot be used.</exception>
    public Distiller(DistillationConfig config, World? world, ScalarType computeType, Action<string> log, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(config);
        ModelFolder model = ModelFolder.Open(config.Model);
        Require(config, model);
        int frames = config.FrameCount ?? model.Defaults.FrameCount;
        // All frames at once, however many.
        VideoRequest request = new VideoRequest("a video") { Width = config.Width, Height = config.Height, FrameCount = frames, WindowFrames = frames, Shift = config.Shift, GuidanceScale = config.GuidanceScale }.Resolve(model.Limits);
        _config = config = config with { GuidanceScale = request.GuidanceScale, Shift = request.Shift };
        _device = FineTuner.DeviceOf(config.Device);
        string? weaker = WeakerModel.FingerprintOf(config);
        TrainingLoopOptions loop = LoopOptions(config, weaker, world?.Config.Name ?? "none");
        loop.Settings.Compare(loop.StatePath);
        Directory.CreateDirectory(config.RunFolder);
        string[] prompts = PromptsOf(config, world);
        try
        {
            _captions = CaptionVectors.Encode(model, prompts.Append(model.Defaults.NegativePrompt), computeType, _device, log, cancellationToken);
            _videos = TeacherVideos.Open(config, model, request, prompts, _captions, weaker, config.Tries > 1 ? world : null, computeType, _device, log, cancellationToken);
            double[]? pixels = config.LossSpace == LossSpace.Pixels
                ? PixelWeights.Open(config.RunFolder, Path.Combine(model.Path, "vae"), Examples, computeType, log, cancellationToken)
                : null;
            if (pixels is not null || config.Details is not null || model.Scheduler.Lead is not null)
                _weights = WeightsOfChannels(ChannelWeights.Of(model.Vae.ZDim, pixels, config.Details, model.Scheduler.Lead?.Channels ?? 0, model.Scheduler.Lead?.Gain ?? 1));
            _student = new(config.Tuning, model, computeType, _device);
            _loop = new(this, loop);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Told the number of steps after each.</summary>
    internal Action<long>? StepDone
    {
        get => _loop.StepDone;
        set => _loop.StepDone = value;
    }

    IReadOnlyDictionary<string, Parameter> ITrainingTask.Parameters => _student.Parameters;

    string ITrainingTask.Unit => "tokens";

    long ITrainingTask.Size => _tokens;

    double? ITrainingTask.Operations => _operations;

    /// <summary>Trains to the last step, writing a checkpoint every few minutes, then writes the result.</summary>
    /// <exception cref="SoraException">The loss is not finite, or a file cannot be written.</exception>
    public void Run(Action<string> log, CancellationToken cancellationToken) => _loop.Run(log, cancellationToken);

    /// <summary>Frees the network, the videos and the training state.</summary>
    public void Dispose()
    {
        // Also of one that could not be made.
        _loop?.Dispose();
        _weights?.Dispose();
        _student?.Dispose();
        _videos?.Dispose();
        _captions?.Dispose();
    }

    bool ITrainingTask.IsHidden(string name, Parameter parameter) => false;

    // Any videos, each with any of its steps.
    Tensor ITrainingTask.Loss(long batch)
    {
        int[] videos = new int[_config.VideosPerStep], steps = new int[videos.Length];
        for (int i = 0; i < videos.Length; i++)
        {
            var random = new GaussianNoise(_config.Seed, $"distillation pair {(batch * videos.Length) + i}");
            videos[i] = (int)(random.Uniform(1) * _config.Videos);
            steps[i] = (int)(random.Uniform(2) * _config.FewSteps);
        }
        return Loss(videos, steps);
    }

    void ITrainingTask.Backward(Tensor loss)
    {
        loss.backward();
        _student.Transformer.Checkpoints?.Backward();
    }

    // How far the few steps end from where the many do, as a share of the latent's length.
    IReadOnlyList<(string Name, double Value)> ITrainingTask.Validate()
    {
        using IDisposable noGradients = no_grad();
        using DisposeScope scope = NewDisposeScope();
        using var solver = new EulerSolver(_videos.Schedule);
        double distance = 0, error = 0;
        foreach (int video in Enumerable.Range(_config.Videos, _config.ValidationVideos))
        {
            using DisposeScope one = NewDisposeScope();
            Tensor sample = FlowSampler.Sample((x, step) => Velocity(x, [video], [step.Index]), _videos.Noise(video, _device), solver);
            Tensor goal = _videos.Step(video, _config.FewSteps - 1).After.to(_device);
            distance += (Length(sample - goal) / Length(goal)).cpu().item<float>();
            int[] steps = [.. Enumerable.Range(0, _config.FewSteps)];
            error += Loss([.. steps.Select(_ => video)], steps).cpu().item<float>();
        }
        return [("distance", distance / _config.ValidationVideos), ("loss", error / _config.ValidationVideos)];
    }

    void ITrainingTask.CheckpointWritten() => _student.WriteCheckpoint();

    PngImage? ITrainingTask.WriteSamples(string path, CancellationToken cancellationToken) => null;

    void ITrainingTask.Finished(Action<string> log)
    {
        _student.WriteResult(_student.Folder.Defaults with { Steps = _config.FewSteps, GuidanceScale = 1, Shift = _config.Shift!.Value, ShiftTokens = null, Sampler = Sampler.EulerTrailing });
        log(FormattableString.Invariant($"wrote {_config.Output}; made for --sampler {SamplerNames.NameOf(Sampler.EulerTrailing)} --steps {_config.FewSteps} --guidance 1 --shift {_config.Shift}"));
    }

    private static void Require(DistillationConfig config, ModelFolder model)
    {
        if (model.Transformer2 is not null)
            throw new SoraException($"{model.Path} has two transformers; models with one can be distilled.");
        TunedModel.Require(config.Tuning, model);
        RequireDiffusersLayout(model);
        if (config.TeacherSteps % config.FewSteps != 0 || config.TeacherSteps == config.FewSteps)
        {
            int nearest = Math.Max(2, (config.TeacherSteps + (config.FewSteps / 2)) / config.FewSteps) * config.FewSteps;
            throw new SoraException($"teacher_steps {config.TeacherSteps} is not allowed with few_steps {config.FewSteps}: a larger multiple of it; nearest: {nearest}.");
        }
        WeakerModel.Require(config, model);
        if (config.Tries > 1 && (config.FrameCount ?? model.Defaults.FrameCount) == 1)
            throw new SoraException($"tries {config.Tries} is for videos, by whose frames a motion is told, and these have one frame; nearest: tries 1, or frame_count {1 + model.Limits.TemporalStride}.");
        if (config is { Tries: > 1, Prompts: { } prompts })
            throw new SoraException($"tries {config.Tries} is for captions of the drawn world, by which its videos are judged, and prompts names '{prompts}'; nearest: tries 1, or no prompts.");
        if (config is { Emphasis: not null, Prompts: { } file })
            throw new SoraException($"emphasis is for captions of the drawn world, and prompts names '{file}'; nearest: no emphasis, or no prompts.");
    }

    /// <summary>Refuses a model whose parts are not folders.</summary>
    internal static void RequireDiffusersLayout(ModelFolder model)
    {
        if (!File.Exists(Path.Combine(model.Path, "transformer", "config.json")))
            throw new SoraException($"{model.Path} is not in the layout of diffusers, by which videos are told apart; nearest: sora convert {model.Path} --out FOLDER, then the folder.");
    }

    private static TrainingLoopOptions LoopOptions(DistillationConfig config, string? weaker, string world) => new()
    {
        Name = "distill",
        RunFolder = config.RunFolder,
        // The weaker model by what it is, not by where it lies.
        Settings = TrainingSettings.Of(config with { WeakerModel = weaker }, new DistillationConfig { Model = config.Model, RunFolder = config.RunFolder, Output = config.Output }, world),
        Steps = config.Steps,
        LearningRate = config.LearningRate ?? (config.Lora is null ? 1e-5 : 1e-4),
        AdamShare = 1,
        AdamBeta2 = 0.99,
        WarmupSteps = config.WarmupSteps,
        AverageDecay = config.AverageDecay,
        CheckpointMinutes = config.CheckpointMinutes,
        ValidationSteps = config.ValidationSteps,
    };

    // A prompt for each video; those that are kept apart come last.
    internal static string[] PromptsOf(DistillationConfig config, World? world)
    {
        int count = config.Videos + config.ValidationVideos;
        if (config.Prompts is not { } path)
        {
            ArgumentNullException.ThrowIfNull(world);
            Emphasis? emphasis = config.Emphasis is { } weights ? new(weights, world.Config) : null;
            return [.. Enumerable.Range(0, count).Select(video => Captions.One(Clip(video, config.Seed + (ulong)video), (ulong)video))];

            // What is measured is as chance has it, so that it can be compared with other trainings.
            ClipDescription Clip(int video, ulong seed) => video < config.Videos && emphasis is not null ? emphasis.SampleTraining(world, seed) : world.SampleTraining(seed);
        }
        string[] lines;
        try
        {
            lines = [.. File.ReadLines(path).Select(line => line.Trim()).Where(line => line.Length > 0)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SoraException($"The prompts in '{path}' cannot be read: {e.Message}", e);
        }
        if (lines.Length == 0)
            throw new SoraException($"{path} holds no prompts; one a line.");
        return [.. Enumerable.Range(0, count).Select(video => lines[video % lines.Length])];
    }

    // The mean squared error of the velocity that leads from the beginning of a step to its end.
    private Tensor Loss(int[] videos, int[] steps)
    {
        (Tensor Before, Tensor After)[] pairs = [.. videos.Zip(steps, _videos.Step)];
        Tensor before = cat([.. pairs.Select(pair => pair.Before)], 0).to(_device), after = cat([.. pairs.Select(pair => pair.After)], 0).to(_device); // B C t h w
        float[] widths = [.. steps.Select(step => _videos.Schedule.Width(step))];
        Tensor goal = (after - before) / tensor(widths, [widths.Length, 1, 1, 1, 1], device: _device);
        return Weighted((Velocity(before, videos, steps) - goal).square()).mean();
    }

    private Tensor Weighted(Tensor squares) => _weights is null ? squares : squares * _weights;

    private Tensor Length(Tensor latent) => Weighted(latent.square()).sum().sqrt();

    // Where the teacher's first videos end.
    private IReadOnlyList<Tensor> Examples(int count) => [.. Enumerable.Range(0, Math.Min(count, _config.Videos)).Select(video => _videos.Step(video, _config.FewSteps - 1).After)];

    private Tensor WeightsOfChannels(float[] channels) =>
        tensor(channels, [1, channels.Length, 1, 1, 1], device: _device).DetachFromDisposeScope();

    // The student's velocities at samples [B, C, t, h, w] of videos, each at the beginning of one of the few steps.
    private Tensor Velocity(Tensor samples, int[] videos, int[] steps)
    {
        DiffusionTransformer transformer = _student.Transformer;
        IReadOnlyList<int> patch = transformer.Config.PatchSize;
        PatchGrid grid = Patchify.GridOf(samples, patch);
        PatchGrid[] grids = [.. videos.Select(_ => grid)];
        float[] sigmas = [.. steps.Select(step => _videos.Schedule.Sigmas[step])];
        TokenTimes times = TokenTimes.PerToken([.. steps.SelectMany(step => Enumerable.Repeat(_videos.Schedule.Times[step], grid.Count))]);
        using var sequence = new PackedSequence(grids, transformer.Config.AttentionHeadDim, _device);
        TextContext text = transformer.Prepare(_captions.Of(videos.Select(video => _videos.Prompts[video]), _device));
        SamplePrediction prediction = _student.Folder.Scheduler.Prediction;
        long[] each = [sigmas.Length, 1, 1, 1, 1];
        Tensor output = transformer.Forward(Patchify.Cut(prediction.Input(samples, sigmas, each), patch), times, text, sequence); // N P
        (_tokens, _operations) = ((long)grid.Count * videos.Length, Operations(videos.Length, grid.Count));
        return prediction.Velocity(samples, Patchify.Join(output, videos.Length, grid, patch, transformer.Config.OutChannels), sigmas, each);
    }

    private double Operations(int videos, int tokens) =>
        ((_config.Lora is null ? 3 : 2) + (_config.ActivationCheckpointing ? 1 : 0))
        * (TransformerOperations.Evaluation(_student.Transformer.Config, videos, tokens, _student.Folder.Defaults.MaxSequenceLength, 0)
            + TransformerOperations.Preparation(_student.Transformer.Config, videos, _student.Folder.Defaults.MaxSequenceLength));
}
