using System.Diagnostics;
using System.Globalization;
using Sora.Latents;
using Sora.Layers;
using Sora.Patches;
using Sora.Sampling;
using Sora.Text;
using Sora.Training.SpriteWorld;
using Sora.Transformer;
using Sora.VideoVae;
using Sora.Weights;

namespace Sora.Training;

/// <summary>
/// Trains the transformer and its text encoder by rectified flow (Liu et al. 2023): x = (1 − σ)·data + σ·noise, and the
/// network predicts noise − data. Every latent frame has its own σ; known frames have σ = 0 and no loss.
/// </summary>
public sealed class FlowTrainer : IDisposable
{
    private readonly FlowTrainingConfig _config;
    private readonly LatentClips _clips;
    private readonly LatentClips _pictures;
    private readonly PromptTokenizer _tokenizer;
    private readonly DiffusionTransformer _transformer;
    private readonly UMT5Encoder _textEncoder;
    private readonly AdamW _adam;
    private readonly Muon _muon;
    private readonly ExponentialAverage _average;
    private readonly Dictionary<string, Parameter> _parameters;

    /// <summary>Builds fresh networks, or goes on from the run folder's checkpoint.</summary>
    public FlowTrainer(FlowTrainingConfig config, World world, ScalarType computeType, Action<string> log, CancellationToken cancellationToken)
    {
        _config = config;
        Directory.CreateDirectory(config.RunFolder);
        // The words of the whole world, so that a training on a part of it can be followed by one on more.
        new SentencePieceModelBuilder(SpriteWorld.Captions.Vocabulary(SpriteWorldConfig.Everything).Select(w => KeyValuePair.Create(w.Key, (long)w.Value))).Write(TokenizerPath);
        var tokenizer = SentencePieceTokenizer.Load(TokenizerPath);
        _tokenizer = new(tokenizer);
        using (var vae = new VideoAutoencoder(AutoencoderKLWanConfig.Load(Path.Combine(config.VaeFolder, "config.json")), new CheckpointParameters(config.VaeFolder, computeType, CPU)))
        {
            _pictures = LatentClips.Open(
                Path.Combine(config.RunFolder, "pictures.safetensors"), world, vae,
                new(config.Shape with { Frames = 1 }, config.FramesPerSecond, config.Pictures, config.Seed + 1), log, cancellationToken);
            _clips = LatentClips.Open(
                Path.Combine(config.RunFolder, "latents.safetensors"), world, vae,
                new(config.Shape, config.FramesPerSecond, config.Clips, config.Seed), log, cancellationToken);
        }
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
        _clips.Dispose();
        _pictures.Dispose();
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
        var random = new GaussianNoise(_config.Seed, $"flow step {step}");
        LatentClips clips = random.Uniform(1) < _config.PictureShare ? _pictures : _clips;
        long all = clips.Latents.size(2);
        // Beginnings of clips are clips: other lengths come at little cost.
        long frames = random.Uniform(2) < 0.15 ? Math.Min(3, all) : all;
        PatchGrid one = Patchify.GridOf(clips.Latents.narrow(2, 0, frames), _config.Transformer.PatchSize);
        int count = _config.TokensPerStep / one.Count;

        var indices = new long[count];
        var captions = new string[count];
        var levels = new float[count * frames];
        for (int i = 0; i < count; i++)
        {
            indices[i] = (long)(random.Uniform((ulong)(1000 + i)) * clips.Count);
            captions[i] = random.Uniform((ulong)(100_000 + i)) < _config.CaptionDropout ? "" : clips.Caption((int)indices[i], (ulong)step);
            _config.Noise.Draw(new GaussianNoise(_config.Seed + (ulong)step, (ulong)i), (int)frames).CopyTo(levels, i * frames);
        }

        Tensor data = clips.Latents.index_select(0, tensor(indices)).narrow(2, 0, frames);       // B C t h w
        var gaussian = new float[data.NumberOfElements];
        new GaussianNoise(_config.Seed, $"flow noise {step}").Fill(gaussian);
        Tensor noise = tensor(gaussian, data.shape);
        Tensor sigma = tensor(levels, [count, 1, frames, 1, 1]);
        Tensor x = data + ((noise - data) * sigma);
        Tensor output = _transformer.Forward(x, TokenLevels(levels, one), _transformer.Prepare(Encode(captions)));
        Tensor velocity = _config.Prediction.Velocity(x, output, levels, [count, 1, frames, 1, 1]);
        Tensor unknown = sigma.gt(0).to(float32).expand(data.shape);
        return ((velocity - (noise - data)).square() * unknown).sum() / unknown.sum();
    }

    private static float[] TokenLevels(float[] levels, PatchGrid grid)
    {
        int area = grid.H * grid.W;
        var times = new float[levels.Length * area];
        for (int i = 0; i < levels.Length; i++)
            times.AsSpan(i * area, area).Fill(levels[i] * 1000);
        return times;
    }

    private Tensor Encode(string[] captions)
    {
        int length = _config.MaxTextLength;
        var ids = new long[captions.Length * length];
        var mask = new float[ids.Length];
        for (int i = 0; i < captions.Length; i++)
        {
            TokenizedPrompt prompt = _tokenizer.Tokenize(captions[i], length);
            for (int j = 0; j < length; j++)
                ids[(i * length) + j] = prompt.Ids[j];
            mask.AsSpan(i * length, prompt.Length).Fill(1);
        }
        Tensor maskTensor = tensor(mask, [captions.Length, length]);
        return _textEncoder.Forward(tensor(ids, [captions.Length, length]), maskTensor) * maskTensor.unsqueeze(-1);
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
