using System.Diagnostics;
using System.Globalization;
using Sora.Layers;
using Sora.Patches;
using Sora.Sampling;
using Sora.Text;
using Sora.Training.Data;
using Sora.Training.SpriteWorld;
using Sora.Transformer;
using Sora.Weights;

namespace Sora.Training;

/// <summary>
/// Trains the transformer and its text encoder by rectified flow (Liu et al. 2023): x = (1 − σ)·data + σ·noise, and the
/// network predicts noise − data. Every latent frame has its own σ; known frames have σ = 0 and no loss.
/// </summary>
public sealed class FlowTrainer : IDisposable
{
    private readonly FlowTrainingConfig _config;
    private readonly IFlowBatches _batches;
    private readonly PromptTokenizer _tokenizer;
    private readonly DiffusionTransformer _transformer;
    private readonly UMT5Encoder _textEncoder;
    private readonly AdamW _adam;
    private readonly Muon _muon;
    private readonly ExponentialAverage _average;
    private readonly Dictionary<string, Parameter> _parameters;

    /// <summary>Builds fresh networks, or goes on from the run folder's checkpoint.</summary>
    /// <param name="config">The training.</param>
    /// <param name="world">The drawn world; null where <see cref="FlowTrainingConfig.Data"/> is a folder.</param>
    /// <param name="computeType">The type of products.</param>
    /// <param name="log">Told what is read and encoded.</param>
    /// <param name="cancellationToken">Stops reading and encoding.</param>
    /// <param name="captioner">Writes a detailed caption for each clip of a folder; null: none but the folder's own.</param>
    /// <exception cref="SoraException">The data, the autoencoder or the checkpoint cannot be used.</exception>
    public FlowTrainer(FlowTrainingConfig config, World? world, ScalarType computeType, Action<string> log, CancellationToken cancellationToken, ICaptioner? captioner = null)
    {
        _config = config;
        Directory.CreateDirectory(config.RunFolder);
        _batches = FlowBatches.Open(config, world, captioner, computeType, log, cancellationToken);
        TrainingVocabulary.Write(TokenizerPath, config, _batches);
        var tokenizer = SentencePieceTokenizer.Load(TokenizerPath);
        _tokenizer = new(tokenizer);
        TrainingVocabulary.NoteCuts(_batches.WrittenCaptions, _tokenizer, config.MaxTextLength, log);
        _transformer = new(config.Transformer, new FreshParameters(config.Seed, computeType));
        _textEncoder = new(config.TextEncoder with { VocabSize = tokenizer.VocabularySize }, new FreshParameters(config.Seed + 1, computeType));
        _parameters = _transformer.Parameters.Select(p => ($"transformer.{p.Key}", p.Value))
            .Concat(_textEncoder.Parameters.Select(p => ($"text_encoder.{p.Key}", p.Value)))
            .ToDictionary(p => p.Item1, p => p.Value);
        _muon = new(_parameters.Where(IsHidden));
        _adam = new(_parameters.Where(p => !IsHidden(p)), beta2: 0.98, decay: 0.01);
        if (config.StartFolder is { } folder)
        {
            WarmStart.Copy(_transformer.Parameters, Path.Combine(folder, "transformer"), p => new DiffusionTransformer(config.Transformer, p).Parameters);
            WarmStart.Copy(_textEncoder.Parameters, Path.Combine(folder, "text_encoder"), p => new UMT5Encoder(config.TextEncoder with { VocabSize = tokenizer.VocabularySize }, p).Parameters);
        }
        _average = new(_parameters);
        if (File.Exists(StatePath))
            _adam.Resume(long.Parse(TrainingState.Load(StatePath, State())["step"], CultureInfo.InvariantCulture));
        foreach (Parameter parameter in _parameters.Values)
            parameter.requires_grad = true;
    }

    /// <summary>Told the number of steps after each.</summary>
    internal Action<long>? StepDone { get; set; }

    /// <summary>What is trained, by name.</summary>
    internal IReadOnlyDictionary<string, Parameter> Parameters => _parameters;

    private string StatePath => Path.Combine(_config.RunFolder, "flow-state.safetensors");

    private string TokenizerPath => Path.Combine(_config.RunFolder, "spiece.model");

    /// <summary>Trains to the last step, writing a checkpoint every few minutes, then writes the model folder.</summary>
    public void Run(Action<string> log, CancellationToken cancellationToken)
    {
        var sinceCheckpoint = Stopwatch.StartNew();
        var clock = Stopwatch.StartNew();
        double average = 0;
        long tokens = 0;
        for (long step = _adam.Steps; step < _config.Steps; step++)
        {
            if (cancellationToken.IsCancellationRequested || sinceCheckpoint.Elapsed.TotalMinutes > _config.CheckpointMinutes)
            {
                Save();
                sinceCheckpoint.Restart();
                cancellationToken.ThrowIfCancellationRequested();
            }
            double loss = Step(step);
            StepDone?.Invoke(_adam.Steps);
            if (!double.IsFinite(loss))
                throw new InvalidOperationException($"The loss is {loss} at step {step}; the last checkpoint is kept.");
            tokens += _config.TokensPerStep;
            average = average == 0 ? loss : (0.98 * average) + (0.02 * loss);
            if (_adam.Steps % 50 == 0)
            {
                log(string.Create(CultureInfo.InvariantCulture, $"flow step {_adam.Steps}/{_config.Steps} loss {average:F4} {tokens / clock.Elapsed.TotalSeconds:F0} tokens/s"));
                clock.Restart();
                tokens = 0;
            }
        }
        Save();
        Export();
    }

    /// <summary>Frees the networks and the training state.</summary>
    public void Dispose()
    {
        _batches.Dispose();
        _transformer.Dispose();
        _textEncoder.Dispose();
        _adam.Dispose();
        _muon.Dispose();
        _average.Dispose();
    }

    // The matrices inside the networks; embeddings, heads, norms and vectors keep AdamW.
    private static bool IsHidden(KeyValuePair<string, Parameter> parameter) =>
        parameter.Value.ndim == 2 && parameter.Key.Contains("block", StringComparison.Ordinal)
        && !parameter.Key.Contains("relative_attention_bias", StringComparison.Ordinal);

    private double Step(long step)
    {
        using DisposeScope scope = NewDisposeScope();
        using Tensor loss = Loss(step);
        loss.backward();
        GradientClipping.Apply(_parameters.Values, 1);
        double rate = Training.LearningRate.At(step, _config.Steps, _config.LearningRate, 150);
        _muon.Step(rate);
        _adam.Step(rate / 2);
        _average.Update(Math.Min(_config.AverageDecay, (step + 1.0) / (step + 10)));
        foreach (Parameter parameter in _parameters.Values)
            parameter.grad = null;
        return loss.cpu().item<float>();
    }

    private Tensor Loss(long step)
    {
        FlowBatch batch = _batches.Draw(step);
        long values = batch.Data.size(1);
        Tensor sigma = tensor(batch.Levels, [batch.Levels.Length, 1]);                           // N 1
        Tensor target = batch.Noise - batch.Data;                                                // N P
        Tensor x = batch.Data + (target * sigma);
        using var sequence = new PackedSequence(batch.Grids, _config.Transformer.AttentionHeadDim, CPU);
        var times = TokenTimes.PerToken(Array.ConvertAll(batch.Levels, level => level * 1000));
        Tensor output = Patchify.ChannelsFirst(
            _transformer.Forward(x, times, _transformer.Prepare(Encode(batch.Captions)), sequence), _config.Transformer.OutChannels);
        Tensor velocity = _config.Prediction.Velocity(x, output, batch.Levels, [batch.Levels.Length, 1]);
        Tensor unknown = sigma.gt(0).to(float32);                                                // N 1
        return ((velocity - target).square() * unknown).sum() / (unknown.sum() * values);
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

    private IEnumerable<(string Name, Tensor Tensor)> State() =>
        _parameters.Select(p => ($"parameters.{p.Key}", (Tensor)p.Value))
            .Concat(_average.State().Select(s => ($"average.{s.Name}", s.Tensor)))
            .Concat(_adam.State().Select(s => ($"adam.{s.Name}", s.Tensor)))
            .Concat(_muon.State().Select(s => ($"muon.{s.Name}", s.Tensor)));

    private void Save()
    {
        TrainingState.Save(StatePath, State(), new Dictionary<string, string> { ["step"] = _adam.Steps.ToString(CultureInfo.InvariantCulture) });
        Export();
    }

    // The averages are what is published.
    private void Export()
    {
        _average.Swap();
        ModelFolderWriter.Write(_config.OutputFolder, _transformer, _textEncoder, TokenizerPath, _config.VaeFolder, _config.Prediction, new RequestDefaults
        {
            Width = _config.Shape.Width,
            Height = _config.Shape.Height,
            FrameCount = _config.Shape.Frames,
            FramesPerSecond = _config.FramesPerSecond,
            Steps = 20,
            GuidanceScale = 4,
            Shift = 2,
            Sampler = Sampler.UniPC,
            MaxSequenceLength = _config.MaxTextLength,
            PerTokenTime = true,
        });
        _average.Swap();
    }
}
