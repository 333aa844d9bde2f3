using System.Globalization;
using Sora.Latents;
using Sora.Layers;
using Sora.Training.Metrics;
using Sora.Training.SpriteWorld;
using Sora.VideoVae;
using Sora.Weights;

namespace Sora.Training;

/// <summary>
/// Trains the video autoencoder: absolute error of pixels and of their differences in space and time, structural similarity,
/// and a small divergence from a normal distribution. Latents can be made to follow halving of the picture (EQ-VAE,
/// Kouzelis et al. 2025).
/// </summary>
public sealed class VaeTrainer : ITrainingTask, IDisposable
{
    private readonly VaeTrainingConfig _config;
    private readonly IVaeBatches _clips;
    private readonly VideoAutoencoder _vae;
    private readonly KeptLatents? _kept;
    private readonly IReadOnlyDictionary<string, Parameter> _trained;
    private readonly PrefetchedBatches<ClipBatch> _batches;
    private readonly TrainingLoop _loop;
    private long _pixels;

    /// <summary>Builds a fresh autoencoder, or goes on from the run folder's checkpoint.</summary>
    /// <param name="config">The training.</param>
    /// <param name="world">The drawn world; null where <see cref="VaeTrainingConfig.Data"/> is a folder.</param>
    /// <param name="computeType">The type of products.</param>
    /// <param name="exchange">Sums the gradients of several processes; null: there is one.</param>
    /// <param name="log">Told what a folder holds and what is passed over; null: nobody.</param>
    /// <param name="cancellationToken">Stops the reading of a folder.</param>
    /// <exception cref="SoraException">The data or the component to begin with cannot be used.</exception>
    public VaeTrainer(
        VaeTrainingConfig config, World? world, ScalarType computeType, IGradientExchange? exchange = null, Action<string>? log = null,
        CancellationToken cancellationToken = default)
    {
        _config = config = WithStatistics(config);
        TrainingLoopOptions loop = LoopOptions(config, world?.Config.Name ?? "none") with { Exchange = exchange };
        loop.Settings.Compare(loop.StatePath);
        Directory.CreateDirectory(config.RunFolder);
        // What the first of several trainings reads of a folder the others find on the disk.
        if (exchange is { Rank: > 0 })
            exchange.Average(0);
        _clips = BatchesOf(config, world, log ?? (_ => { }), cancellationToken);
        if (exchange is { Rank: 0 })
            exchange.Average(0);
        _vae = new(config.Vae, new FreshParameters(config.Seed, computeType));
        _trained = config.DecoderOnly ? _vae.Parameters.Where(p => IsOfDecoder(p.Key)).ToDictionary(p => p.Key, p => p.Value) : _vae.Parameters;
        if (config.StartFolder is { } folder)
            WarmStart.CopyAutoencoder(_vae.Parameters, config.Vae, folder);
        if (config.KeepLatents > 0)
            _kept = new(config, computeType);
        FitLinearCode(loop, log ?? (_ => { }), cancellationToken);
        _batches = new(_clips.Draw, config.Steps * config.Accumulation * (loop.Exchange?.Count ?? 1));
        _loop = new(this, loop);
    }

    /// <summary>Told the number of steps after each.</summary>
    internal Action<long>? StepDone
    {
        get => _loop.StepDone;
        set => _loop.StepDone = value;
    }

    /// <summary>The network, in training.</summary>
    internal VideoAutoencoder Network => _vae;

    IReadOnlyDictionary<string, Parameter> ITrainingTask.Parameters => _trained;

    string ITrainingTask.Unit => "pixels";

    long ITrainingTask.Size => _pixels;

    double? ITrainingTask.Operations => null;

    /// <summary>Trains to the last step, writing a checkpoint every few minutes, then writes the component.</summary>
    public void Run(Action<string> log, CancellationToken cancellationToken) => _loop.Run(log, cancellationToken);

    /// <summary>Frees the network and the training state.</summary>
    public void Dispose()
    {
        _vae.Dispose();
        _kept?.Dispose();
        _loop.Dispose();
    }

    // Kernels inside the networks; the first and last layers, norms and vectors keep AdamW.
    bool ITrainingTask.IsHidden(string name, Parameter parameter) =>
        parameter.ndim >= 4 && !name.Contains("conv_in", StringComparison.Ordinal) && !name.Contains("conv_out", StringComparison.Ordinal)
        && !name.StartsWith("quant_conv", StringComparison.Ordinal) && !name.StartsWith("post_quant_conv", StringComparison.Ordinal);

    Tensor ITrainingTask.Loss(long batch)
    {
        ClipBatch clips = _batches.Take(batch);
        _pixels = clips.Shape.Pixels * clips.Captions.Count;
        return Loss(clips.ToTensor(CPU), batch);
    }

    void ITrainingTask.Backward(Tensor loss) => loss.backward();

    IReadOnlyList<(string Name, double Value)> ITrainingTask.Validate()
    {
        using IDisposable noGrad = no_grad();
        double absolute = 0, squared = 0, similarity = 0;
        int batches = _clips.Measured;
        for (int number = 0; number < batches; number++)
        {
            using DisposeScope scope = NewDisposeScope();
            Tensor x = _clips.DrawMeasured(number).ToTensor(CPU), y = _vae.Decode(_vae.Encode(x).Mean), error = y - x;
            absolute += error.abs().mean().cpu().item<float>() / batches;
            squared += error.square().mean().cpu().item<float>() / batches;
            similarity += StructuralSimilarity.Of(y, x).cpu().item<float>() / batches;
        }
        return [("absolute_error", absolute), ("psnr", Psnr(squared)), ("ssim", similarity)];
    }

    PngImage? ITrainingTask.WriteSamples(string path, CancellationToken cancellationToken) => null;

    void ITrainingTask.CheckpointWritten()
    {
    }

    void ITrainingTask.Finished(Action<string> log) => Export(log);

    private static IVaeBatches BatchesOf(VaeTrainingConfig config, World? world, Action<string> log, CancellationToken cancellationToken)
    {
        if (config.Data.Folder is not { } folder)
        {
            return config.Shapes is null
                ? new WorldVaeBatches(world ?? throw new ArgumentNullException(nameof(world), "Training on the drawn world needs one."), config)
                : throw new SoraException("shapes are those of a folder's clips, and data is the drawn world, which has its own; leave shapes out.");
        }
        FolderVaeBatches batches = FolderVaeBatches.Open(config, folder, log, cancellationToken);
        if (!batches.HasUnseen)
            log("fewer than ten clips: none is kept apart, and what is measured is measured on clips that are trained on");
        return batches;
    }

    private static bool IsOfDecoder(string name) =>
        name.StartsWith("decoder.", StringComparison.Ordinal) || name.StartsWith("post_quant_conv.", StringComparison.Ordinal)
        || name.StartsWith("linear_code.decode", StringComparison.Ordinal) || name.StartsWith("linear_code.smooth.", StringComparison.Ordinal);

    // Once: a checkpoint has what became of it.
    private void FitLinearCode(TrainingLoopOptions loop, Action<string> log, CancellationToken cancellationToken)
    {
        int all = _config.Vae.LinearCodeChannels;
        int finished = _config.StartFolder is { } folder ? AutoencoderKLWanConfig.Load(Path.Combine(folder, "config.json")).LinearCodeChannels : 0;
        if (all == finished || File.Exists(loop.StatePath))
            return;
        log($"fitting {all - finished} channels of a linear code to what the autoencoder loses");
        LinearCodeFit.Apply(_vae, finished, _clips, cancellationToken);
    }

    // With the encoder the latents stay as they are, and their statistics.
    private static VaeTrainingConfig WithStatistics(VaeTrainingConfig config)
    {
        if (!config.DecoderOnly)
            return config;
        string folder = config.StartFolder ?? throw new SoraException("decoder_only needs start_folder, the component whose encoder stays.");
        AutoencoderKLWanConfig start = AutoencoderKLWanConfig.Load(Path.Combine(folder, "config.json"));
        if (start.ZDim != config.Vae.ZDim)
            throw new SoraException($"{folder} has z_dim {start.ZDim}, and z_dim is {config.Vae.ZDim}; with decoder_only, whose encoder learns nothing, allowed: {start.ZDim}.");
        return config with { Vae = config.Vae with { LatentsMean = start.LatentsMean, LatentsStd = start.LatentsStd } };
    }

    // Pixels span 2, from −1 to 1.
    private static double Psnr(double squared) => -10 * Math.Log10(squared / 4);

    private static TrainingLoopOptions LoopOptions(VaeTrainingConfig config, string world) => new()
    {
        Name = "vae",
        RunFolder = config.RunFolder,
        Settings = TrainingSettings.Of(
            config, new VaeTrainingConfig { Vae = config.Vae, RunFolder = config.RunFolder, OutputFolder = config.OutputFolder }, world),
        Steps = config.Steps,
        LearningRate = config.LearningRate,
        WarmupSteps = Math.Min(200, config.Steps / 10),
        AverageDecay = 0.999,
        Accumulation = config.Accumulation,
        CheckpointMinutes = config.CheckpointMinutes,
        LogSteps = 20,
        ValidationSteps = config.ValidationSteps,
        ValidationMinutes = config.ValidationMinutes,
    };

    private Tensor Loss(Tensor x, long step)
    {
        using var encoderCache = new CausalCache();
        using var decoderCache = new CausalCache();
        LatentMoments moments;
        using (set_grad_enabled(!_config.DecoderOnly))
            moments = LatentMoments.Split(_vae.EncodeChunk(x, encoderCache));
        var noise = new float[moments.Mean.NumberOfElements];
        var random = new GaussianNoise(_config.Seed, $"vae step {step}");
        random.Fill(noise);
        Tensor z = moments.Mean + ((moments.LogVariance * 0.5).exp() * tensor(noise, moments.Mean.shape));
        Tensor target = x;
        if (random.Uniform(1UL << 40) < _config.EquivarianceShare)
            (z, target) = (Halve(z), Halve(target));
        // What a transformer may not know of the code is 0, and the network's own picture has to be good.
        if (_config.Vae.LinearCodeChannels > 0 && random.Uniform(1UL << 41) < _config.LinearCodeDropout)
            z = _vae.WithoutCode(z);
        Tensor y = _vae.DecodeUnclamped(z, decoderCache);
        Tensor kl = ((moments.Mean.square() + moments.LogVariance.exp() - moments.LogVariance).mean() - 1) * 0.5;
        Tensor loss = Reconstruction(y, target, _config.SquaredWeight) + (kl * _config.KlWeight);
        if (_kept is not null)
            loss = loss + (_kept.Distance(moments.Mean, x) * _config.KeepLatents);
        return _config.SimilarityWeight > 0 ? loss + ((1 - StructuralSimilarity.Of(y, target)) * _config.SimilarityWeight) : loss;
    }

    // Differences of neighbours in space and time carry edges and motion, which the plain error blurs.
    private static Tensor Reconstruction(Tensor y, Tensor x, double squaredWeight)
    {
        Tensor error = y - x;
        Tensor loss = error.abs().mean() + (error.square().mean() * squaredWeight);
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

    // The statistics of the latents go into the config.
    private void Export(Action<string> log)
    {
        using IDisposable noGrad = no_grad();
        double squared = 0, similarity = 0, squaredWithout = 0;
        int count = _clips.Sampled;
        var sums = new double[_config.Vae.ZDim];
        var squares = new double[_config.Vae.ZDim];
        double values = 0;
        for (int number = 0; number < count; number++)
        {
            using DisposeScope scope = NewDisposeScope();
            Tensor x = _clips.DrawSampled(number).ToTensor(CPU);
            Tensor mean = _vae.Encode(x).Mean, y = _vae.Decode(mean);
            squared += (y - x).square().mean().cpu().item<float>() / count;
            similarity += StructuralSimilarity.Of(y, x).cpu().item<float>() / count;
            if (_config.Vae.LinearCodeChannels > 0)
                squaredWithout += (_vae.Decode(_vae.WithoutCode(mean)) - x).square().mean().cpu().item<float>() / count;
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
        log(string.Create(CultureInfo.InvariantCulture, $"vae PSNR on {(_config.Data.Folder is null ? "unseen clips" : "the folder's clips")} {Psnr(squared):F2} dB, SSIM {similarity:F4}{(squaredWithout > 0 ? FormattableString.Invariant($"; {Psnr(squaredWithout):F2} dB without its linear code") : "")}"));
        Directory.CreateDirectory(_config.OutputFolder);
        SafetensorsWriter.Write(
            Path.Combine(_config.OutputFolder, "diffusion_pytorch_model.safetensors"),
            // What was not trained stays as it was, whatever numbers it came in.
            _vae.Parameters.Select(p => TrainingState.ContentOf(p.Key, p.Value, _trained.ContainsKey(p.Key) ? bfloat16 : float32)));
        _kept?.TakeStatistics(means, deviations);
        (_config.DecoderOnly ? _config.Vae : _config.Vae with { LatentsMean = [.. means], LatentsStd = [.. deviations] }).Save(Path.Combine(_config.OutputFolder, "config.json"));
    }
}
