using System.Diagnostics;
using System.Globalization;
using Sora.Latents;
using Sora.Layers;
using Sora.Training.SpriteWorld;
using Sora.VideoVae;
using Sora.Weights;

namespace Sora.Training;

/// <summary>
/// Trains the video autoencoder on the drawn world: absolute error of pixels and of their differences in space and time,
/// and a small divergence from a normal distribution. Latents can be made to follow halving of the picture (EQ-VAE,
/// Kouzelis et al. 2025).
/// </summary>
public sealed class VaeTrainer : IDisposable
{
    // Mostly pictures and short clips: the frames of one clip are alike, and many different ones teach more.
    private static readonly ClipShape[] s_shapes =
        [new(64, 64, 5), new(64, 64, 1), new(64, 64, 5), new(64, 64, 1), new(64, 64, 9), new(64, 64, 1), new(80, 48, 5), new(48, 80, 1), new(64, 64, 17)];

    private readonly VaeTrainingConfig _config;
    private readonly SpriteClips _clips;
    private readonly VideoAutoencoder _vae;
    private readonly AdamW _adam;
    private readonly Muon _muon;
    private readonly ExponentialAverage _average;

    /// <summary>Builds a fresh autoencoder, or goes on from the run folder's checkpoint.</summary>
    public VaeTrainer(VaeTrainingConfig config, World world, ScalarType computeType)
    {
        _config = config;
        _clips = new(world, 8, config.Seed);
        _vae = new(config.Vae, new FreshParameters(config.Seed, computeType));
        _muon = new(_vae.Parameters.Where(IsHidden));
        _adam = new(_vae.Parameters.Where(p => !IsHidden(p)), decay: 0.01);
        if (config.StartFolder is { } folder)
            WarmStart.Copy(_vae.Parameters, folder, parameters => new VideoAutoencoder(config.Vae, parameters).Parameters);
        _average = new(_vae.Parameters);
        if (File.Exists(StatePath))
            Resume();
        foreach (Parameter parameter in _vae.Parameters.Values)
            parameter.requires_grad = true;
    }

    /// <summary>Told the number of steps after each.</summary>
    internal Action<long>? StepDone { get; set; }

    /// <summary>The network, in training.</summary>
    internal VideoAutoencoder Network => _vae;

    private string StatePath => Path.Combine(_config.RunFolder, "vae-state.safetensors");

    /// <summary>Trains to the last step, writing a checkpoint every few minutes, then writes the component.</summary>
    public void Run(Action<string> log, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(_config.RunFolder);
        var sinceCheckpoint = Stopwatch.StartNew();
        var clock = Stopwatch.StartNew();
        double average = 0;
        foreach (ClipBatch batch in Prefetch.Range(_adam.Steps, _config.Steps, DrawBatch))
        {
            double loss = Step(batch, _adam.Steps);
            StepDone?.Invoke(_adam.Steps);
            if (!double.IsFinite(loss))
                throw new InvalidOperationException($"The loss is {loss} at step {_adam.Steps}; the last checkpoint is kept.");
            average = average == 0 ? loss : (0.98 * average) + (0.02 * loss);
            if (_adam.Steps % 20 == 0)
                log(string.Create(CultureInfo.InvariantCulture, $"vae step {_adam.Steps}/{_config.Steps} loss {average:F4} {clock.Elapsed.TotalSeconds / 20:F2} s/step"));
            if (_adam.Steps % 20 == 0)
                clock.Restart();
            bool stop = cancellationToken.IsCancellationRequested;
            if (stop || sinceCheckpoint.Elapsed.TotalMinutes > _config.CheckpointMinutes)
            {
                Save();
                sinceCheckpoint.Restart();
            }
            cancellationToken.ThrowIfCancellationRequested();
        }
        Save();
        Export(log);
    }

    /// <summary>Frees the network and the training state.</summary>
    public void Dispose()
    {
        _vae.Dispose();
        _adam.Dispose();
        _muon.Dispose();
        _average.Dispose();
    }

    // Kernels inside the networks; the first and last layers, norms and vectors keep AdamW.
    private static bool IsHidden(KeyValuePair<string, Parameter> parameter) =>
        parameter.Value.ndim >= 4 && !parameter.Key.Contains("conv_in", StringComparison.Ordinal) && !parameter.Key.Contains("conv_out", StringComparison.Ordinal)
        && !parameter.Key.StartsWith("quant_conv", StringComparison.Ordinal) && !parameter.Key.StartsWith("post_quant_conv", StringComparison.Ordinal);

    private ClipBatch DrawBatch(long step)
    {
        ClipShape shape = s_shapes[step % s_shapes.Length];
        return _clips.Draw(step, shape, (int)Math.Max(1, _config.PixelsPerStep / shape.Pixels));
    }

    private double Step(ClipBatch batch, long step)
    {
        using DisposeScope scope = NewDisposeScope();
        using Tensor loss = Loss(batch.ToTensor(CPU), step);
        loss.backward();
        GradientClipping.Apply(_vae.Parameters.Values, 1);
        double rate = Training.LearningRate.At(step, _config.Steps, _config.LearningRate, 200);
        _muon.Step(rate);
        _adam.Step(rate / 2);
        _average.Update(Math.Min(0.999, (step + 1.0) / (step + 10)));
        foreach (Parameter parameter in _vae.Parameters.Values)
            parameter.grad = null;
        return loss.cpu().item<float>();
    }

    private Tensor Loss(Tensor x, long step)
    {
        using var encoderCache = new CausalCache();
        using var decoderCache = new CausalCache();
        LatentMoments moments = LatentMoments.Split(_vae.EncodeChunk(x, encoderCache));
        var noise = new float[moments.Mean.NumberOfElements];
        var random = new GaussianNoise(_config.Seed, $"vae step {step}");
        random.Fill(noise);
        Tensor z = moments.Mean + ((moments.LogVariance * 0.5).exp() * tensor(noise, moments.Mean.shape));
        Tensor target = x;
        if (random.Uniform(1UL << 40) < _config.EquivarianceShare)
            (z, target) = (Halve(z), Halve(target));
        Tensor y = _vae.DecodeUnclamped(z, decoderCache);
        Tensor kl = ((moments.Mean.square() + moments.LogVariance.exp() - moments.LogVariance).mean() - 1) * 0.5;
        return Reconstruction(y, target) + (kl * _config.KlWeight);
    }

    // Differences of neighbours in space and time carry edges and motion, which the plain error blurs.
    private static Tensor Reconstruction(Tensor y, Tensor x)
    {
        Tensor error = y - x;
        Tensor loss = error.abs().mean() + (error.square().mean() * 0.5);
        foreach (int axis in (int[])[-1, -2, 2])
        {
            long length = error.size(axis);
            if (length > 1)
                loss = loss + ((error.narrow(axis, 1, length - 1) - error.narrow(axis, 0, length - 1)).abs().mean() * 0.5);
        }
        return loss;
    }

    private static Tensor Halve(Tensor x)
    {
        long b = x.size(0), c = x.size(1), t = x.size(2), h = x.size(3) / 2, w = x.size(4) / 2;
        return x.narrow(3, 0, 2 * h).narrow(4, 0, 2 * w).reshape(b, c, t, h, 2, w, 2).mean([4, 6]);
    }

    private IEnumerable<(string Name, Tensor Tensor)> State() =>
        _vae.Parameters.Select(p => ($"parameters.{p.Key}", (Tensor)p.Value))
            .Concat(_average.State().Select(s => ($"average.{s.Name}", s.Tensor)))
            .Concat(_adam.State().Select(s => ($"adam.{s.Name}", s.Tensor)))
            .Concat(_muon.State().Select(s => ($"muon.{s.Name}", s.Tensor)));

    private void Save() => TrainingState.Save(StatePath, State(), new Dictionary<string, string>
    {
        ["step"] = _adam.Steps.ToString(CultureInfo.InvariantCulture),
    });

    private void Resume() =>
        _adam.Resume(long.Parse(TrainingState.Load(StatePath, State())["step"], CultureInfo.InvariantCulture));

    // The averages are what is published; the statistics of their latents go into the config.
    private void Export(Action<string> log)
    {
        _average.Swap();
        using IDisposable noGrad = no_grad();
        double squared = 0, count = 0;
        var sums = new double[_config.Vae.ZDim];
        var squares = new double[_config.Vae.ZDim];
        double values = 0;
        for (long number = 0; number < 40; number++)
        {
            using DisposeScope scope = NewDisposeScope();
            Tensor x = _clips.Draw((1L << 40) + number, s_shapes[number % 3], 4).ToTensor(CPU);
            Tensor mean = _vae.Encode(x).Mean;
            squared += (_vae.Decode(mean) - x).square().mean().cpu().item<float>();
            count++;
            float[] perChannel = mean.sum([0, 2, 3, 4]).cpu().data<float>().ToArray();
            float[] perChannelSquares = mean.square().sum([0, 2, 3, 4]).cpu().data<float>().ToArray();
            values += mean.NumberOfElements / _config.Vae.ZDim;
            for (int c = 0; c < sums.Length; c++)
            {
                sums[c] += perChannel[c];
                squares[c] += perChannelSquares[c];
            }
        }
        double[] means = [.. sums.Select(s => Math.Round(s / values, 4))];
        double[] deviations = [.. squares.Select((s, c) => Math.Round(Math.Sqrt((s / values) - (means[c] * means[c])), 4))];
        log(string.Create(CultureInfo.InvariantCulture, $"vae PSNR on unseen clips {-10 * Math.Log10(squared / count / 4):F2} dB"));
        Directory.CreateDirectory(_config.OutputFolder);
        SafetensorsWriter.Write(
            Path.Combine(_config.OutputFolder, "diffusion_pytorch_model.safetensors"),
            _vae.Parameters.Select(p => TrainingState.ContentOf(p.Key, p.Value, bfloat16)));
        (_config.Vae with { LatentsMean = [.. means], LatentsStd = [.. deviations] }).Save(Path.Combine(_config.OutputFolder, "config.json"));
        _average.Swap();
    }
}
