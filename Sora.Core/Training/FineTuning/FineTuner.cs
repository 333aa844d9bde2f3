using Sora.Estimation;
using Sora.Latents;
using Sora.Patches;
using Sora.Sampling;
using Sora.Training.Data;
using Sora.Training.Distributed;
using Sora.Training.Metrics;
using Sora.Training.SpriteWorld;
using Sora.Transformer;
using Sora.Weights;

namespace Sora.Training.FineTuning;

/// <summary>
/// Trains on a model that is there: a LoRA (Hu et al. 2021) or the whole transformer, by rectified flow as the model itself was
/// trained. Text encoder and autoencoder do not change, so captions and clips are encoded once.
/// </summary>
public sealed class FineTuner : ITrainingTask, IDisposable
{
    private readonly FineTuningConfig _config;
    private readonly Device _device;
    private readonly TuningClips _clips;
    private readonly CaptionVectors _captions;
    private readonly TunedModel _model;
    private readonly TrainingLoop _loop;
    private readonly NoiseLevels _levels;
    private long _tokens;
    private double _operations;

    /// <summary>Encodes clips and captions and loads the transformer, or goes on from the run folder's checkpoint.</summary>
    /// <param name="config">What is trained.</param>
    /// <param name="world">The drawn world; null where the data are a folder.</param>
    /// <param name="computeType">The type of matrix products, and of weights that are frozen.</param>
    /// <param name="log">Told what is done.</param>
    /// <param name="cancellationToken">Stops between clips and captions.</param>
    /// <param name="exchange">Trains on several machines; null: here alone.</param>
    /// <exception cref="SoraException">The model cannot be fine-tuned, or model or data cannot be used.</exception>
    public FineTuner(
        FineTuningConfig config, World? world, ScalarType computeType, Action<string> log, CancellationToken cancellationToken,
        IGradientExchange? exchange = null)
    {
        ArgumentNullException.ThrowIfNull(config);
        _config = config;
        _device = DeviceOf(config.Device);
        ModelFolder model = ModelFolder.Open(config.Model);
        TunedModel.Require(config, model);
        TrainingLoopOptions loop = LoopOptions(config, world?.Config.Name ?? "") with { Exchange = exchange };
        loop.Settings.Compare(loop.StatePath);
        Directory.CreateDirectory(config.RunFolder);
        _levels = config.Noise ?? new(0, 1, model.Defaults.PerTokenTime ? 0.25 : 0, 0);

        // What the first of several trainings encodes the others find on the disk.
        if (exchange is { Rank: > 0 })
            exchange.Average(0);
        _clips = TuningClips.Open(model, SourceOf(config, model, world, log, cancellationToken), Path.Combine(config.RunFolder, "latents"), computeType, _device, log, cancellationToken);
        if (exchange is { Rank: 0 })
            exchange.Average(0);
        try
        {
            IEnumerable<string> captions = Enumerable.Range(0, _clips.Count).SelectMany(clip => (IEnumerable<string>)[.. _clips.Captions(clip).Short, .. _clips.Captions(clip).Detailed]);
            _captions = CaptionVectors.Encode(model, captions, computeType, _device, log, cancellationToken);
            _model = new(config, model, computeType, _device);
            if (exchange is { Count: > 1 })
                GradientOverlap.Begin(_model.Transformer, exchange, _model.Parameters);
            _loop = new(this, loop);
        }
        catch
        {
            Free();
            throw;
        }
    }

    /// <summary>Told the number of steps after each.</summary>
    internal Action<long>? StepDone
    {
        get => _loop.StepDone;
        set => _loop.StepDone = value;
    }

    /// <summary>The network in training.</summary>
    internal DiffusionTransformer Transformer => _model.Transformer;

    /// <summary>What is trained, by name.</summary>
    internal IReadOnlyDictionary<string, Parameter> Parameters => _model.Parameters;

    IReadOnlyDictionary<string, Parameter> ITrainingTask.Parameters => _model.Parameters;

    string ITrainingTask.Unit => "tokens";

    long ITrainingTask.Size => _tokens;

    double? ITrainingTask.Operations => _operations;

    /// <summary>Trains to the last step, writing a checkpoint every few minutes, then writes the result.</summary>
    /// <exception cref="SoraException">The loss is not finite, or a file cannot be written.</exception>
    public void Run(Action<string> log, CancellationToken cancellationToken) => _loop.Run(log, cancellationToken);

    /// <summary>Frees the network, the captions and the training state.</summary>
    public void Dispose() => Free();

    // AdamW for all: a LoRA's matrices are narrow, and a finished network's weights shall not turn far.
    bool ITrainingTask.IsHidden(string name, Parameter parameter) => false;

    Tensor ITrainingTask.Loss(long batch) => Loss(batch);

    void ITrainingTask.Backward(Tensor loss)
    {
        loss.backward();
        _model.Transformer.Checkpoints?.Backward();
    }

    IReadOnlyList<(string Name, double Value)> ITrainingTask.Validate() => [];

    // A LoRA in training can be tried out.
    void ITrainingTask.CheckpointWritten() => _model.WriteCheckpoint();

    PngImage? ITrainingTask.WriteSamples(string path, CancellationToken cancellationToken) => null;

    void ITrainingTask.Finished(Action<string> log)
    {
        _model.WriteResult();
        log($"wrote {_config.Output}");
    }

    /// <summary>The device of a setting; null: CUDA where there is one.</summary>
    /// <exception cref="SoraException">CUDA is named, and there is none.</exception>
    internal static Device DeviceOf(string? setting)
    {
        Device chosen = setting is null ? (cuda.is_available() ? device("cuda") : CPU) : device(setting);
        return chosen.type != DeviceType.CUDA || cuda.is_available() ? chosen
            : throw new SoraException($"device {setting} was asked for, but the tensor engine finds no CUDA; nearest: cpu.");
    }

    private static TrainingLoopOptions LoopOptions(FineTuningConfig config, string world) => new()
    {
        Name = "finetune",
        RunFolder = config.RunFolder,
        Settings = TrainingSettings.Of(
            config, new FineTuningConfig { Model = config.Model, RunFolder = config.RunFolder, Output = config.Output }, world),
        Steps = config.Steps,
        LearningRate = config.LearningRate ?? (config.Lora is null ? 1e-5 : 1e-4),
        AdamShare = 1,
        AdamBeta2 = 0.999,
        WarmupSteps = config.WarmupSteps,
        AverageDecay = config.AverageDecay,
        Accumulation = config.Accumulation,
        CheckpointMinutes = config.CheckpointMinutes,
    };

    private static IClipSource SourceOf(FineTuningConfig config, ModelFolder model, World? world, Action<string> log, CancellationToken cancellationToken)
    {
        var strides = ClipStrides.Of(model.Vae, model.Transformer);
        int rate = config.FramesPerSecond ?? model.Defaults.FramesPerSecond;
        if (config.Data.Folder is not { } folder)
        {
            ArgumentNullException.ThrowIfNull(world);
            return new SpriteClipSource(world, config.Shapes, strides, rate, config.Clips, 0, config.Seed);
        }
        return VideoFolder.Open(
            new(folder, strides)
            {
                Shapes = config.Shapes,
                FrameRate = rate,
                CutThreshold = config.Data.CutThreshold,
                LongestCaption = config.Data.LongestCaption,
                ScanFile = Path.Combine(config.RunFolder, "scans.json"),
            },
            log, cancellationToken);
    }

    // Clips of any sizes run as one packed sequence; of tokens at time 0 nothing is learned.
    private Tensor Loss(long batch)
    {
        IReadOnlyList<int> patch = _model.Transformer.Config.PatchSize;
        TuningExample[] examples = [.. Enumerable.Range(0, _config.ClipsPerStep).Select(i => Example((batch * _config.ClipsPerStep) + i))];
        PatchGrid[] grids = [.. examples.Select(example => Patchify.GridOf(example.Data, patch))];
        using var sequence = new PackedSequence(grids, _model.Transformer.Config.AttentionHeadDim, _device);
        TextContext text = _model.Transformer.Prepare(_captions.Of(examples.Select(example => example.Caption), _device));
        SamplePrediction prediction = _model.Folder.Scheduler.Prediction;
        Tensor patches = cat([.. examples.Select(example => Patchify.Cut(example.Input(prediction), patch))], 0); // N P
        TokenTimes times = TokenTimes.PerToken([.. examples.Zip(grids, (example, grid) => example.Times(grid)).SelectMany(t => t)]);
        Tensor output = _model.Transformer.Forward(patches, times, text, sequence);                             // N P

        var errors = new Tensor[examples.Length];
        long start = 0, learned = 0;
        for (int i = 0; i < examples.Length; i++)
        {
            Tensor predicted = Patchify.Join(output.narrow(0, start, grids[i].Count), 1, grids[i], patch, _model.Transformer.Config.OutChannels); // 1 C t h w
            errors[i] = examples[i].SquaredError(prediction, predicted);
            learned += examples[i].Learned;
            start += grids[i].Count;
        }
        (_tokens, _operations) = (start, Operations(grids));
        return stack(errors).sum() / learned;
    }

    private TuningExample Example(long number)
    {
        var random = new GaussianNoise(_config.Seed, $"fine-tuning clip {number}");
        int clip = ClipAt(number);
        string caption = random.Uniform(1) < _config.CaptionDropout ? ""
            : _clips.Captions(clip).Pick(_config.DetailedShare, random.Uniform(2), random.Uniform(3));
        Tensor data = _clips.Latents(clip);                                                                     // 1 C t h w
        int tokens = Patchify.GridOf(data, _model.Transformer.Config.PatchSize).Count;
        // Noise levels that move with the size by themselves are not moved once more by the model's.
        double shift = _config.Shift
            ?? (_model.Folder.Defaults.Shift * SizeShift.Of(tokens, _levels.ShiftTokens is null ? _model.Folder.Defaults.ShiftTokens : null));
        float[] levels = new TuningNoise(_levels, shift, _model.Range).Draw(_config.Seed, number, (int)data.size(2), tokens);
        return TuningExample.Create(data, caption, levels, new GaussianNoise(_config.Seed, $"fine-tuning noise {number}"), _device, _model.Folder.MapChannels);
    }

    // Every clip once in each round, in an order of the round's own.
    private int ClipAt(long number)
    {
        (long round, long place) = Math.DivRem(number, _clips.Count);
        var random = new GaussianNoise(_config.Seed, $"fine-tuning round {round}");
        return Enumerable.Range(0, _clips.Count).OrderBy(clip => random.Uniform((ulong)clip)).ElementAt((int)place);
    }

    // Forward, once more where activations are not kept, and backward: to the activations, and to the weights that are trained.
    private double Operations(IEnumerable<PatchGrid> grids)
    {
        double forward = grids.Sum(grid => TransformerOperations.Evaluation(_model.Transformer.Config, 1, grid.Count, _model.Folder.Defaults.MaxSequenceLength, 0)
            + TransformerOperations.Preparation(_model.Transformer.Config, 1, _model.Folder.Defaults.MaxSequenceLength));
        return forward * ((_config.Lora is null ? 3 : 2) + (_config.ActivationCheckpointing ? 1 : 0));
    }

    // Also of a training that could not be made.
    private void Free()
    {
        _loop?.Dispose();
        _model?.Dispose();
        _captions?.Dispose();
        _clips.Dispose();
    }
}
