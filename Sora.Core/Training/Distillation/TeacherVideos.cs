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
using Sora.Training.SpriteWorld;
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
    private readonly int[] _tries;   // by videos, the number of the noise that each was made of

    private TeacherVideos(DistillationConfig config, LatentCache cache, LatentShape shape, string family, IReadOnlyList<string> prompts, NoiseSchedule schedule)
    {
        (_config, _cache, _shape, _family, Prompts) = (config, cache, shape, family, prompts);
        Schedule = schedule;
        // What was made by an earlier run; -1: missing.
        _tries = [.. Enumerable.Range(0, prompts.Count).Select(video => Enumerable.Range(0, config.Tries).FirstOrDefault(number => cache.Contains(KeyOf(video, number)), -1))];
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
    /// <param name="weakerFingerprint"><see cref="WeakerModel.FingerprintOf"/> of the distillation.</param>
    /// <param name="world">Judges the videos; null where each is taken as it comes.</param>
    /// <param name="computeType">The type of matrix products.</param>
    /// <param name="device">Where the transformer runs.</param>
    /// <param name="log">Told how far it is.</param>
    /// <param name="cancellationToken">Honoured between steps; what is made by then, and was accepted, is kept.</param>
    public static TeacherVideos Open(
        DistillationConfig config, ModelFolder model, VideoRequest request, IReadOnlyList<string> prompts, CaptionVectors captions, string? weakerFingerprint, World? world, ScalarType computeType, Device device,
        Action<string> log, CancellationToken cancellationToken)
    {
        // Which noise a video was made of depends on the judge, and so on the decoder, too.
        string judged = world is null ? "" : string.Create(CultureInfo.InvariantCulture, $", of {config.Tries} tries judged as {world.Config.Name} by {ModelFingerprint.OfComponent(Path.Combine(model.Path, "vae"))}");
        string family = string.Create(CultureInfo.InvariantCulture,
            $"{ModelFingerprint.OfComponent(Path.Combine(model.Path, "text_encoder"))} {request.Width}x{request.Height}x{request.FrameCount} {config.FewSteps} of {config.TeacherSteps}, {config.GuidanceScale}, {config.Shift}, seed {config.Seed}, {computeType}, {model.Defaults.MaxSequenceLength} rows, without '{model.Defaults.NegativePrompt}', {model.Scheduler.ToJson()}, {Convert.ToHexStringLower(SHA256.HashData(model.ReadSentencePiece()))}{judged}{WeakerModel.Describe(config, weakerFingerprint)}");
        var cache = LatentCache.Open(Path.Combine(config.RunFolder, "videos"), Path.Combine(model.Path, "transformer"), log);
        var videos = new TeacherVideos(config, cache, LatentShape.Of(request, model.Vae), family, prompts, NoiseSchedule.Trailing(config.FewSteps, config.Shift!.Value, model.Scheduler.NumTrainTimesteps));
        try
        {
            int[] missing = [.. Enumerable.Range(0, prompts.Count).Where(video => videos._tries[video] < 0)];
            if (missing.Length > 0)
            {
                using TeacherJudge? judge = world is null ? null : new(model, world, computeType, device);
                using WeakerModel? weaker = config.WeakerModel is null ? null : new(config, prompts, computeType, device, log, cancellationToken);
                videos.Make(missing, model, captions, weaker, judge, computeType, device, log, cancellationToken);
            }
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
        Tensor states = _cache.Read(KeyOf(video, _tries[video])).unsqueeze(0);                                 // 1 steps·C t h w
        return (step == 0 ? Noise(video, CPU) : State(states, step - 1), State(states, step));
    }

    /// <summary>What a video begins with [1, C, t, h, w].</summary>
    public Tensor Noise(int video, Device device) => Noise(video, _tries[video], device);

    /// <summary>Closes the files.</summary>
    public void Dispose() => _cache.Dispose();

    private Tensor State(Tensor states, int step) => states.narrow(1, step * _shape.C, _shape.C);

    // Seeds that nobody types: what is tried out later with small ones was not learned from. There are less than 2^21 videos.
    private Tensor Noise(int video, int number, Device device) =>
        LatentNoise.Create(_shape, unchecked((long)(((_config.Seed + 1) << 32) + ((ulong)number << 21) + (ulong)video) & long.MaxValue), device);

    private string KeyOf(int video, int number) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(
        string.Create(CultureInfo.InvariantCulture, $"{_family}, video {video}{(number == 0 ? "" : $" of noise {number}")}: {Prompts[video]}"))).AsSpan(0, 16));

    private void Make(
        int[] missing, ModelFolder model, CaptionVectors captions, WeakerModel? weaker, TeacherJudge? judge, ScalarType computeType, Device device, Action<string> log,
        CancellationToken cancellationToken)
    {
        using IDisposable noGradients = no_grad();
        using DiffusionTransformer transformer = new(model.Transformer, new CheckpointParameters(model.OpenWeights("transformer"), computeType, device));
        using ISolver solver = Solvers.Create(Sampler.UniPC, _config.TeacherSteps, _config.Shift!.Value, model.Scheduler);
        log($"making {missing.Length} videos in {_config.TeacherSteps} steps each");
        int done = 0, batches = 0, unshown = 0;
        // A video and the number of its noise; those that are tried again go to the end.
        var waiting = new Queue<(int Video, int Number)>(missing.Select(video => (video, 0)));
        try
        {
            while (waiting.Count > 0)
            {
                using DisposeScope scope = NewDisposeScope();
                (int Video, int Number)[] batch = [.. Enumerable.Range(0, Math.Min(waiting.Count, _config.VideosPerStep)).Select(_ => waiting.Dequeue())];
                Tensor[] noise = [.. batch.Select(one => Noise(one.Video, one.Number, device))];
                Tensor negative = captions.Of([model.Defaults.NegativePrompt], device);
                PatchGrid grid = Patchify.GridOf(noise[0], model.Transformer.PatchSize);
                using var velocity = new GuidedVelocity(
                    transformer,
                    [.. batch.Select(one => new GuidedVideo(new Guidance(_config.GuidanceScale!.Value), captions.Of([Prompts[one.Video]], device), negative, grid, new NoConditioning(), new StraightTime()))],
                    device, model.Scheduler.Prediction);
                using GuidedVelocity? ofWeaker = weaker?.Velocity([.. batch.Select(one => Prompts[one.Video])], noise[0]);
                Tensor[][] states = Sample(
                    weaker is null ? velocity.Predict : (samples, step) => weaker.Away(velocity.PredictBoth(samples, step), ofWeaker!.Predict(samples, step)),
                    solver, noise, cancellationToken);
                for (int i = 0; i < batch.Length; i++)
                {
                    (int video, int number) = batch[i];
                    Tensor made = Finite.Require(cat([.. states.Select(state => state[i].squeeze(0))], 0), "The transformer");
                    bool shown = judge?.Shows(states[^1][i], Prompts[video]) ?? true;
                    if (!shown && number + 1 < _config.Tries)
                    {
                        waiting.Enqueue((video, number + 1));
                        continue;
                    }
                    _cache.Add(KeyOf(video, number), made.cpu());
                    (_tries[video], done) = (number, done + 1);
                    unshown += shown ? 0 : 1;
                }
                if (++batches % 10 != 0 && waiting.Count > 0)
                    continue;
                _cache.Flush();
                log($"made {done} of {missing.Length} videos");
            }
            if (judge is not null)
                log($"{missing.Count(video => _tries[video] > 0)} of them needed other noise; {unshown} do not show their prompts after {_config.Tries} tries");
        }
        finally
        {
            _cache.Flush();
        }
    }

    // The videos' states after each of the few steps.
    private Tensor[][] Sample(
        Func<IReadOnlyList<Tensor>, SamplingStep, IReadOnlyList<Tensor>> velocity, ISolver solver, Tensor[] noise, CancellationToken cancellationToken)
    {
        int each = _config.TeacherSteps / _config.FewSteps;
        var packed = new PackedSamples(noise);
        Velocity flow = packed.Around(velocity);
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
