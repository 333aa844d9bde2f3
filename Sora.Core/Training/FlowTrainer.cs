using Sora.Estimation;
using Sora.Layers;
using Sora.Patches;
using Sora.Sampling;
using Sora.Text;
using Sora.Training.Data;
using Sora.Training.Distributed;
using Sora.Training.Metrics;
using Sora.Training.SpriteWorld;
using Sora.Transformer;
using Sora.Weights;

namespace Sora.Training;

/// <summary>
/// Trains the transformer and its text encoder by rectified flow (Liu et al. 2023): x = (1 − σ)·data + σ·noise, and the
/// network predicts noise − data. Every latent frame has its own σ; known frames have σ = 0 and no loss.
/// </summary>
public sealed class FlowTrainer : ITrainingTask, IDisposable
{
    private readonly FlowTrainingConfig _config;
    private readonly string? _world;
    private readonly IFlowBatches _batches;
    private readonly PromptTokenizer _tokenizer;
    private readonly DiffusionTransformer _transformer;
    private readonly UMT5Encoder _textEncoder;
    private readonly Dictionary<string, Parameter> _parameters;
    private readonly TrainingLoop _loop;
    private readonly ActivationCheckpoints? _checkpoints;
    private readonly Tensor? _weights;   // 1 P, of a patch's numbers in the loss, beside what leading channels count; null: all alike
    private long _tokens;
    private double _operations;

    /// <summary>Builds fresh networks, or goes on from the run folder's checkpoint.</summary>
    /// <param name="config">The training.</param>
    /// <param name="world">The drawn world; null where <see cref="FlowTrainingConfig.Data"/> is a folder.</param>
    /// <param name="computeType">The type of products.</param>
    /// <param name="log">Told what is read and encoded.</param>
    /// <param name="cancellationToken">Stops reading and encoding.</param>
    /// <param name="captioner">Writes a detailed caption for each clip of a folder; null: none but the folder's own.</param>
    /// <param name="exchange">Sums the gradients of several processes; null: there is one.</param>
    /// <exception cref="SoraException">The data, the autoencoder or the checkpoint cannot be used.</exception>
    public FlowTrainer(
        FlowTrainingConfig config, World? world, ScalarType computeType, Action<string> log, CancellationToken cancellationToken,
        ICaptioner? captioner = null, IGradientExchange? exchange = null)
    {
        _config = config;
        _world = world is null || config.Data.Folder is not null ? null : SpriteWorldConfig.NameOf(world.Config);
        if (config is { SampleCheckpoints: > 0, SamplePrompts.Count: 0 })
            throw new SoraException($"sample_checkpoints {config.SampleCheckpoints} needs sample_prompts, which is empty.");
        TrainingLoopOptions loop = LoopOptions(config, world) with { Exchange = exchange };
        // Before the hours that latents may take.
        loop.Settings.Compare(loop.StatePath);
        TrainingVocabulary.Require(TokenizerPath, config);
        Directory.CreateDirectory(config.RunFolder);
        // What the first of several trainings prepares the others find on the disk.
        if (exchange is { Rank: > 0 })
            exchange.Average(0);
        _batches = FlowBatches.Open(config, world, captioner, computeType, log, cancellationToken);
        TrainingVocabulary.Write(TokenizerPath, config, _batches);
        var tokenizer = SentencePieceTokenizer.Load(TokenizerPath);
        _tokenizer = new(tokenizer);
        TrainingVocabulary.NoteCuts(_batches.WrittenCaptions, _tokenizer, config.MaxTextLength, log);
        double[]? pixels = config.LossSpace == LossSpace.Pixels
            ? PixelWeights.Open(config.RunFolder, config.VaeFolder, Decodable, computeType, log, cancellationToken)
            : null;
        if (pixels is not null || config.Details is not null)
            _weights = WeightsOfPatch(pixels);
        if (exchange is { Rank: 0 })
            exchange.Average(0);
        _transformer = new(config.Transformer, new FreshParameters(config.Seed, computeType));
        if (config.ActivationCheckpointing)
            _transformer.Checkpoints = _checkpoints = new();
        _textEncoder = new(config.TextEncoder with { VocabSize = tokenizer.VocabularySize }, new FreshParameters(config.Seed + 1, computeType));
        _parameters = _transformer.Parameters.Select(p => ($"transformer.{p.Key}", p.Value))
            .Concat(_textEncoder.Parameters.Select(p => ($"text_encoder.{p.Key}", p.Value)))
            .ToDictionary(p => p.Item1, p => p.Value);
        if (config.StartFolder is { } folder)
        {
            string defaults = Path.Combine(folder, RequestDefaults.FileName);
            int map = File.Exists(defaults) && RequestDefaults.Load(defaults).SemanticMap ? MapChannels : 0;
            WarmStart.CopyTransformer(_transformer.Parameters, config.Transformer, Path.Combine(folder, "transformer"), map);
            WarmStart.Copy(_textEncoder.Parameters, Path.Combine(folder, "text_encoder"), p => new UMT5Encoder(config.TextEncoder with { VocabSize = tokenizer.VocabularySize }, p).Parameters);
        }
        if (exchange is { Count: > 1 })
            GradientOverlap.Begin(_transformer, exchange);
        _loop = new(this, loop);
    }

    /// <summary>Told the number of steps after each.</summary>
    internal Action<long>? StepDone
    {
        get => _loop.StepDone;
        set => _loop.StepDone = value;
    }

    /// <summary>What is trained, by name.</summary>
    internal IReadOnlyDictionary<string, Parameter> Parameters => _parameters;

    IReadOnlyDictionary<string, Parameter> ITrainingTask.Parameters => _parameters;

    string ITrainingTask.Unit => "tokens";

    long ITrainingTask.Size => _tokens;

    double? ITrainingTask.Operations => _operations;

    private int MapChannels => _config.SemanticMap ? SpriteWorld.SemanticMap.Channels : 0;

    // Of a patch's numbers, the last ones.
    private long MapNumbers => MapChannels * PatchPoints;

    private long PatchPoints => _config.Transformer.PatchSize.Aggregate(1L, (a, b) => a * b);

    private int RegressedChannels => _config.Details is { Regressed: true } details ? details.Channels : 0;

    private SamplePrediction Prediction => new(_config.Prediction, _config is { SemanticMap: true, MapGain: > 1 } ? new(MapChannels, _config.MapGain) : null, RegressedChannels);

    private string TokenizerPath => Path.Combine(_config.RunFolder, "spiece.model");

    /// <summary>Trains to the last step, writing a checkpoint every few minutes, then writes the model folder.</summary>
    public void Run(Action<string> log, CancellationToken cancellationToken) => _loop.Run(log, cancellationToken);

    /// <summary>Frees the networks and the training state.</summary>
    public void Dispose()
    {
        _batches.Dispose();
        _weights?.Dispose();
        _transformer.Dispose();
        _textEncoder.Dispose();
        _loop.Dispose();
    }

    // The matrices inside the networks; embeddings, heads, norms and vectors keep AdamW.
    bool ITrainingTask.IsHidden(string name, Parameter parameter) =>
        parameter.ndim == 2 && name.Contains("block", StringComparison.Ordinal)
        && !name.Contains("relative_attention_bias", StringComparison.Ordinal);

    Tensor ITrainingTask.Loss(long batch) => Loss(batch);

    void ITrainingTask.Backward(Tensor loss)
    {
        loss.backward();
        _checkpoints?.Backward();
    }

    IReadOnlyList<(string Name, double Value)> ITrainingTask.Validate() => FlowValidation.Run(_batches, WithGain, Velocity, _config.LossSpace == LossSpace.Pixels ? _weights : null, MapNumbers, RegressedChannels * PatchPoints);

    PngImage? ITrainingTask.WriteSamples(string path, CancellationToken cancellationToken) =>
        new SampleGrid(_config.SamplePrompts, _config.SampleSeed, _config.SampleSteps).Write(_config.OutputFolder, path, cancellationToken);

    // A half-trained model can be looked at.
    void ITrainingTask.CheckpointWritten() => Export();

    void ITrainingTask.Finished(Action<string> log)
    {
    }

    private static TrainingLoopOptions LoopOptions(FlowTrainingConfig config, World? world) => new()
    {
        Name = "flow",
        RunFolder = config.RunFolder,
        Settings = TrainingSettings.Of(
            config,
            new FlowTrainingConfig { Transformer = config.Transformer, TextEncoder = config.TextEncoder, VaeFolder = config.VaeFolder, RunFolder = config.RunFolder, OutputFolder = config.OutputFolder },
            world?.Config.Name ?? "none"),
        Steps = config.Steps,
        LearningRate = config.LearningRate,
        WarmupSteps = Math.Min(150, config.Steps / 10),
        AverageDecay = config.AverageDecay,
        AdamBeta2 = 0.98,
        AdamShare = config.EmbeddingRate,
        Accumulation = config.Accumulation,
        CheckpointMinutes = config.CheckpointMinutes,
        ValidationSteps = config.Validates ? config.ValidationSteps : 0,
        ValidationMinutes = config.Validates ? config.ValidationMinutes : 0,
        SampleCheckpoints = config.SampleCheckpoints,
    };

    private Tensor Loss(long step)
    {
        FlowBatch batch = WithGain(_batches.Draw(step));
        long values = batch.Data.size(1);
        Tensor sigma = tensor(batch.Levels, [batch.Levels.Length, 1]);                           // N 1
        Tensor target = batch.Noise - batch.Data;                                                // N P
        Tensor unknown = sigma.gt(0).to(float32);                                                // N 1
        Tensor velocity = Velocity(batch, SpriteWorld.SemanticMap.OfUnknown(batch.Data + (target * sigma), unknown, MapNumbers));
        (_tokens, _operations) = (batch.Levels.Length, Operations(batch.Grids));
        Tensor squares = Prediction.Weighed((velocity - target).square(), batch.Levels, [batch.Levels.Length, 1], PatchPoints); // N P
        return ((_weights is null ? squares : squares * _weights) * unknown).sum() / (unknown.sum() * values);
    }

    private FlowBatch WithGain(FlowBatch batch) => Prediction.Lead is { } lead ? batch with { Data = lead.Enlarge(batch.Data, PatchPoints) } : batch;

    // The decoder knows no map.
    private Tensor[] Decodable(int count) => [.. _batches.Examples(count).Select(latent => latent.narrow(1, 0, latent.size(1) - MapChannels))];

    // In the order of Patchify.Cut, where the channel runs slowest.
    private Tensor WeightsOfPatch(double[]? pixels)
    {
        float[] channels = ChannelWeights.Of(_config.Transformer.InChannels, pixels, _config.Details, MapChannels, 1);
        float[] weights = [.. channels.SelectMany(weight => Enumerable.Repeat(weight, (int)PatchPoints))];
        return tensor(weights, [1, weights.Length]).DetachFromDisposeScope();
    }

    private Tensor Velocity(FlowBatch batch, Tensor x)
    {
        using var sequence = new PackedSequence(batch.Grids, _config.Transformer.AttentionHeadDim, CPU);
        var times = TokenTimes.PerToken(Array.ConvertAll(batch.Levels, level => level * 1000));
        long[] each = [batch.Levels.Length, 1];
        long points = PatchPoints;
        Tensor output = Patchify.ChannelsFirst(
            _transformer.Forward(Prediction.Input(x, batch.Levels, each, points), times, _transformer.Prepare(Encode(batch.Captions)), sequence), _config.Transformer.OutChannels);
        return Prediction.Velocity(x, output, batch.Levels, each, points);
    }

    // A backward pass takes twice a forward pass: a product for each of its two factors.
    private double Operations(IReadOnlyList<PatchGrid> grids)
    {
        double blocks = grids.GroupBy(grid => grid.Count)
            .Sum(group => TransformerOperations.Evaluation(_config.Transformer, group.Count(), group.Key, _config.MaxTextLength, 0));
        double text = TransformerOperations.Preparation(_config.Transformer, grids.Count, _config.MaxTextLength)
            + (grids.Count * TextEncoderOperations.Prompt(_config.TextEncoder, _config.MaxTextLength));
        return (3 * (blocks + text)) + (_config.ActivationCheckpointing ? blocks : 0);
    }

    private Tensor Encode(IReadOnlyList<string> captions)
    {
        int length = _config.MaxTextLength;
        var ids = new long[captions.Count * length];
        var mask = new float[ids.Length];
        for (int i = 0; i < captions.Count; i++)
        {
            TokenizedPrompt prompt = _tokenizer.Tokenize(captions[i], length);
            for (int j = 0; j < length; j++)
                ids[(i * length) + j] = prompt.Ids[j];
            mask.AsSpan(i * length, prompt.Length).Fill(1);
        }
        Tensor maskTensor = tensor(mask, [captions.Count, length]);
        return _textEncoder.Forward(tensor(ids, [captions.Count, length]), maskTensor) * maskTensor.unsqueeze(-1);
    }

    private void Export() =>
        ModelFolderWriter.Write(_config.OutputFolder, _transformer, _textEncoder, TokenizerPath, _config.VaeFolder, Prediction, new RequestDefaults
        {
            Width = _config.Shape.Width,
            Height = _config.Shape.Height,
            FrameCount = _config.Shape.Frames,
            FramesPerSecond = _config.FramesPerSecond,
            Steps = 20,
            // A map that leads needs its own steps near noise, and guidance drives it out of what the network knows.
            GuidanceScale = Prediction.Lead is null ? 4 : 2,
            Shift = Prediction.Lead is null ? 2 : 5,
            ShiftTokens = _config.Noise.ShiftTokens,
            Sampler = Sampler.UniPC,
            MaxSequenceLength = _config.MaxTextLength,
            PerTokenTime = true,
            SemanticMap = _config.SemanticMap,
            World = _world,
        }, MapChannels);
}
