using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Sora.Conditioning;
using Sora.Latents;
using Sora.Layers;
using Sora.Patches;
using Sora.Sampling;
using Sora.Training.Data;
using Sora.Training.FineTuning;
using Sora.Transformer;
using Sora.Weights;

namespace Sora.Training.Distillation;

/// <summary>
/// Videos that the model makes in many guided steps, as latents where each of the few steps begins and ends. They are made once
/// and kept on disk.
/// </summary>
internal sealed class TeacherVideos : IDisposable
{
    private readonly DistillationConfig _config;
    private readonly LatentCache _cache;
    private readonly LatentShape _shape;
    private readonly string _family;

    private TeacherVideos(DistillationConfig config, LatentCache cache, LatentShape shape, string family, IReadOnlyList<string> prompts, NoiseSchedule schedule)
    {
        (_config, _cache, _shape, _family, Prompts) = (config, cache, shape, family, prompts);
        Schedule = schedule;
    }

    /// <summary>The few steps' noise levels.</summary>
    public NoiseSchedule Schedule { get; }

    /// <summary>Each video's prompt.</summary>
    public IReadOnlyList<string> Prompts { get; }

    /// <summary>Makes the videos that are not there yet.</summary>
    /// <param name="config">The distillation, its guidance and shift filled in.</param>
    /// <param name="model">The model.</param>
    /// <param name="request">A resolved request of the videos' size.</param>
    /// <param name="prompts">A prompt for each video.</param>
    /// <param name="captions">The prompts' vectors.</param>
    /// <param name="computeType">The type of matrix products.</param>
    /// <param name="device">Where the transformer runs.</param>
    /// <param name="log">Told how far it is.</param>
    /// <param name="cancellationToken">Honoured between steps; what is made by then is kept.</param>
    public static TeacherVideos Open(
        DistillationConfig config, ModelFolder model, VideoRequest request, IReadOnlyList<string> prompts, CaptionVectors captions, ScalarType computeType, Device device,
        Action<string> log, CancellationToken cancellationToken)
    {
        string family = string.Create(CultureInfo.InvariantCulture,
            $"{ModelFingerprint.OfComponent(Path.Combine(model.Path, "text_encoder"))} {request.Width}x{request.Height}x{request.FrameCount} {config.FewSteps} of {config.TeacherSteps}, {config.GuidanceScale}, {config.Shift}, seed {config.Seed}, {computeType}, {model.Defaults.MaxSequenceLength} rows, without '{model.Defaults.NegativePrompt}', {model.Scheduler.ToJson()}, {Convert.ToHexStringLower(SHA256.HashData(model.ReadSentencePiece()))}");
        var cache = LatentCache.Open(Path.Combine(config.RunFolder, "videos"), Path.Combine(model.Path, "transformer"), log);
        var videos = new TeacherVideos(config, cache, LatentShape.Of(request, model.Vae), family, prompts, NoiseSchedule.Trailing(config.FewSteps, config.Shift!.Value, model.Scheduler.NumTrainTimesteps));
        try
        {
            int[] missing = [.. Enumerable.Range(0, prompts.Count).Where(video => !cache.Contains(videos.KeyOf(video)))];
            if (missing.Length > 0)
                videos.Make(missing, model, captions, computeType, device, log, cancellationToken);
            return videos;
        }
        catch
        {
            cache.Dispose();
            throw;
        }
    }

    /// <summary>A video's latents [1, C, t, h, w] before one of the few steps and after it.</summary>
    public (Tensor Before, Tensor After) Step(int video, int step)
    {
        Tensor states = _cache.Read(KeyOf(video)).unsqueeze(0);                                 // 1 steps·C t h w
        return (step == 0 ? Noise(video, CPU) : State(states, step - 1), State(states, step));
    }

    /// <summary>What a video begins with [1, C, t, h, w].</summary>
    // Seeds that nobody types: what is tried out later with small ones was not learned from.
    public Tensor Noise(int video, Device device) =>
        LatentNoise.Create(_shape, unchecked((long)(((_config.Seed + 1) << 32) + (ulong)video) & long.MaxValue), device);

    /// <summary>Closes the files.</summary>
    public void Dispose() => _cache.Dispose();

    private Tensor State(Tensor states, int step) => states.narrow(1, step * _shape.C, _shape.C);

    private string KeyOf(int video) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(
        string.Create(CultureInfo.InvariantCulture, $"{_family}, video {video}: {Prompts[video]}"))).AsSpan(0, 16));

    private void Make(
        int[] missing, ModelFolder model, CaptionVectors captions, ScalarType computeType, Device device, Action<string> log, CancellationToken cancellationToken)
    {
        using IDisposable noGradients = no_grad();
        using DiffusionTransformer transformer = new(model.Transformer, new CheckpointParameters(model.OpenWeights("transformer"), computeType, device));
        using ISolver solver = Solvers.Create(Sampler.UniPC, _config.TeacherSteps, _config.Shift!.Value, model.Scheduler);
        log($"making {missing.Length} videos in {_config.TeacherSteps} steps each");
        int done = 0;
        try
        {
            foreach (int[] batch in missing.Chunk(_config.VideosPerStep))
            {
                using DisposeScope scope = NewDisposeScope();
                Tensor[] noise = [.. batch.Select(video => Noise(video, device))];
                Tensor negative = captions.Of([model.Defaults.NegativePrompt], device);
                PatchGrid grid = Patchify.GridOf(noise[0], model.Transformer.PatchSize);
                using var velocity = new GuidedVelocity(
                    transformer,
                    [.. batch.Select(video => new GuidedVideo(new Guidance(_config.GuidanceScale!.Value), captions.Of([Prompts[video]], device), negative, grid, new NoConditioning(), new StraightTime()))],
                    device, model.Scheduler.Prediction);
                Tensor[][] states = Sample(velocity, solver, noise, cancellationToken);
                for (int i = 0; i < batch.Length; i++)
                    _cache.Add(KeyOf(batch[i]), Finite.Require(cat([.. states.Select(state => state[i].squeeze(0))], 0), "The transformer").cpu());
                if ((done += batch.Length) % (10 * _config.VideosPerStep) >= batch.Length && done < missing.Length)
                    continue;
                _cache.Flush();
                log($"made {done} of {missing.Length} videos");
            }
        }
        finally
        {
            _cache.Flush();
        }
    }

    // The videos' states after each of the few steps.
    private Tensor[][] Sample(GuidedVelocity velocity, ISolver solver, Tensor[] noise, CancellationToken cancellationToken)
    {
        int each = _config.TeacherSteps / _config.FewSteps;
        var packed = new PackedSamples(noise);
        Velocity flow = packed.Around(velocity.Predict);
        Tensor sample = packed.Join(noise);
        var states = new List<Tensor[]>();
        solver.Start();
        for (int index = 0; index < _config.TeacherSteps; index++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            using (DisposeScope step = NewDisposeScope())
                sample = step.MoveToOuter(solver.Step(flow, sample, index));
            if ((index + 1) % each == 0)
                states.Add(packed.Split(sample));
        }
        solver.Start();
        return [.. states];
    }
}
