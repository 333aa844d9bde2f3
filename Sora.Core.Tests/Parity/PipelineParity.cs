using System.Text.Json;
using Sora.Conditioning;
using Sora.Latents;
using Sora.Patches;
using Sora.Sampling;
using Sora.Text;
using Sora.Transformer;
using Sora.VideoVae;
using Sora.Weights;
using Xunit;

namespace Sora.Tests.Parity;

/// <summary>
/// A model folder with one whole generation: each stage from the reference's own inputs, so that errors do not add up, then
/// all of them in a row, and then through the public API.
/// </summary>
internal sealed partial class PipelineParity : IDisposable
{
    private readonly ReferenceCase _reference;
    private readonly JsonElement _arguments;
    private readonly ModelFolder _model;
    private readonly List<DiffusionTransformer> _experts = [];
    private readonly VideoAutoencoder _vae;
    private readonly LatentNormalizer _normalizer;
    private readonly Guidance[] _guidance;
    private readonly int _steps;
    private readonly double? _strength;

    private PipelineParity(string folder)
    {
        _reference = new(folder);
        _arguments = _reference.Description.GetProperty("arguments");
        _model = ModelFolder.Open(folder);
        _experts.Add(new(_model.Transformer, new CheckpointParameters(_model.TransformerPath, float32, CPU)));
        if (_model.Transformer2Path is { } second)
            _experts.Add(new(_model.Transformer2!, new CheckpointParameters(second, float32, CPU)));
        _vae = new(_model.Vae, new CheckpointParameters(_model.VaePath, float32, CPU));
        _normalizer = new(_model.Vae, CPU);
        double scale = Number("guidance_scale") ?? 5;
        _guidance = [new(scale), new(Number("guidance_scale_2") ?? scale)];
        _steps = (int)Number("num_inference_steps")!.Value;
        _strength = Number("strength");
    }

    // Steps that are taken; of a source's schedule the last ones.
    private int Start => _steps - (int)(_steps * (_strength ?? 1));

    public static void Run(string folder)
    {
        using IDisposable noGradients = no_grad();
        using DisposeScope scope = NewDisposeScope();
        using var pipeline = new PipelineParity(folder);
        Tensor prompt = pipeline.CheckText("prompt", "prompt_ids", "prompt_mask", "prompt_embeds");
        // Without guidance the reference has no negative prompt.
        Tensor negative = pipeline._guidance[0].IsOn
            ? pipeline.CheckText("negative_prompt", "negative_ids", "negative_mask", "negative_prompt_embeds")
            : prompt;
        pipeline.CheckSchedules();
        pipeline.CheckEncodedFrames();
        pipeline.CheckSteps();
        pipeline.CheckDecoding();
        foreach (string run in pipeline.Runs())
            pipeline.CheckWhole(prompt, negative, run);
        pipeline.CheckPublic();
    }

    public void Dispose()
    {
        _normalizer.Dispose();
        _vae.Dispose();
        _experts.ForEach(expert => expert.Dispose());
        _reference.Dispose();
    }

    // The same generation under other schedules, by the beginning of their tensors' names.
    private IEnumerable<string> Runs() => new[] { "", "legacy.", "euler." }.Where(run => _reference.Has($"{run}latents_final"));

    private ISolver Solver(string run) => Solvers.Create(
        run == "euler." ? Sampler.Euler : _model.Scheduler.Sampler, _steps, _model.Scheduler.Shift, _model.Scheduler, legacySchedule: run == "legacy.");

    private Tensor CheckText(string argument, string ids, string mask, string vectors)
    {
        var tokenizer = new PromptTokenizer(SentencePieceTokenizer.Load(_model.SentencePiecePath));
        TokenizedPrompt tokens = tokenizer.Tokenize(Text(argument), (int)Number("max_sequence_length")!.Value);
        long[] tokenIds = [.. tokens.Ids.Select(id => (long)id)];
        long[] tokenMask = [.. tokens.Ids.Select((_, i) => i < tokens.Length ? 1L : 0L)];
        Assert.Equal(_reference.Integers(ids), tokenIds);
        Assert.Equal(_reference.Integers(mask), tokenMask);

        using var encoder = new UMT5Encoder(
            _model.TextEncoder, new CheckpointParameters(_model.TextEncoderPath, float32, CPU, CheckpointParameters.TextEncoderNames));
        Tensor encoded = encoder.Encode(tensor(tokenIds, [1, tokenIds.Length]), tensor(tokenMask, [1, tokenMask.Length]));
        _reference.Close(vectors, encoded, _reference.Tolerance("prompt_embeds"));
        return encoded;
    }

    private void CheckSchedules()
    {
        foreach (string run in Runs())
        {
            using ISolver solver = Solver(run);
            double tolerance = solver is EulerSolver ? 2e-3 : 0;
            float[] times = [.. solver.Schedule.Times];
            _reference.Close($"{run}timesteps", tensor(times[Start..]), tolerance);
            if (_reference.Has($"{run}all_timesteps"))
                _reference.Close($"{run}all_timesteps", tensor(times), tolerance);
            _reference.Close($"{run}sigmas", tensor([.. solver.Schedule.Sigmas]), 1e-6);
            if (run.Length == 0 && _reference.Has("model_timestep_first_call"))
                Assert.All(_reference.Numbers("model_timestep_first_call"), t => Assert.Equal(t, times[Start]));
        }
    }

    // Every step from the reference's latents and condition.
    private void CheckSteps()
    {
        using IConditioning conditioning = ReferenceConditioning();
        using ISolver solver = Solver("");
        Tensor latents = _reference.Get("latents");
        Tensor first = FirstSample("");
        for (int i = 0; i < _steps - Start; i++)
        {
            using DisposeScope scope = NewDisposeScope();
            SamplingStep step = StepAt(solver, Start + i);
            int expert = ExpertAt(step);
            if (_reference.Description.TryGetProperty("transformer_used_per_step", out JsonElement used))
                Assert.Equal(used[i].GetString(), expert == 0 ? "transformer" : "transformer_2");
            CheckTimes(conditioning, first, step, i);

            Tensor sample = i == 0 ? first : latents.select(0, i - 1);
            Tensor prediction = Predict(expert, conditioning, "prompt_embeds", sample, step);
            CloseAt("noise_cond", i, prediction, "noise_cond");
            prediction = _reference.Get("noise_cond").select(0, i);
            if (_guidance[expert].IsOn)
            {
                CloseAt("noise_uncond", i, Predict(expert, conditioning, "negative_prompt_embeds", sample, step), "noise_uncond");
                prediction = _guidance[expert].Combine(prediction, _reference.Get("noise_uncond").select(0, i));
            }
            if (_reference.Has("noise_pred"))
            {
                CloseAt("noise_pred", i, prediction, "noise_pred");
                prediction = _reference.Get("noise_pred").select(0, i);
            }
            CloseAt("latents", i, solver.Step(prediction, sample, Start + i), "latents");
        }
    }

    // One time for the clip, or one for each token, as the reference's network was given them.
    private void CheckTimes(IConditioning conditioning, Tensor sample, SamplingStep step, int i)
    {
        if (!_reference.Has("model_timestep"))
            return;
        float[] expected = _reference.Get("model_timestep").select(0, i).to(float32).reshape(-1).data<float>().ToArray();
        float[] times = conditioning.Times(Patchify.GridOf(sample, _model.Transformer.PatchSize), step);
        Assert.Equal(expected.Length == 1 ? [.. Enumerable.Repeat(expected[0], times.Length)] : expected, times);
    }

    private void CloseAt(string name, int step, Tensor actual, string tolerance) =>
        _reference.Close($"{name} of step {step}", _reference.Get(name).select(0, step), actual, _reference.Tolerance(tolerance));

    private void CheckDecoding()
    {
        double tolerance = _reference.Tolerance("frames");
        _reference.Close("denormalized_latents", _normalizer.Restore(_reference.Get("latents_final")), 1e-5);
        Tensor decoded = _vae.Decode(_reference.Get("denormalized_latents"));
        if (_reference.Has("decoded"))
            _reference.Close("decoded", decoded, 2 * tolerance); // twice the range of frames
        _reference.Close("frames", Frames(decoded), tolerance);
    }

    // Everything in a row from the prompt's own vectors, the frames and the noise.
    private void CheckWhole(Tensor prompt, Tensor negative, string run)
    {
        using DisposeScope scope = NewDisposeScope();
        using IConditioning conditioning = OwnConditioning();
        using ISolver solver = Solver(run);
        double tolerance = _reference.Tolerance("latents");
        Tensor sample = SourceLatent() is { } source ? SourceNoise.Add(source, _reference.Get("noise"), solver.Schedule, Start) : _reference.Get("noise");
        if (_reference.Has($"{run}initial_latents"))
            _reference.Close($"{run}initial_latents", sample, tolerance);
        Velocity velocity = (x, step) =>
        {
            int expert = ExpertAt(step);
            return _guidance[expert].Around(
                (x, step) => Predict(_experts[expert], conditioning, prompt, x, step),
                (x, step) => Predict(_experts[expert], conditioning, negative, x, step))(x, step);
        };
        Tensor latents = conditioning.Finish(FlowSampler.Sample(velocity, sample, solver, start: Start));
        _reference.Close($"{run}latents_final", latents, tolerance);

        Tensor frames = Frames(_vae.Decode(_normalizer.Restore(latents)));
        if (_reference.Has($"{run}frames"))
            _reference.Close($"{run}frames", frames, _reference.Tolerance("frames"));
        if (_reference.Has($"{run}frames_first"))
            _reference.Close($"{run}frames_first", frames.narrow(1, 0, 1), _reference.Tolerance("frames"));
    }

    private static SamplingStep StepAt(ISolver solver, int index) => new(index, solver.Schedule.Sigmas[index], solver.Schedule.Times[index]);

    private int ExpertAt(SamplingStep step) =>
        _experts.Count == 2 && step.Time < _model.Index.BoundaryRatio * _model.Scheduler.NumTrainTimesteps ? 1 : 0;

    private Tensor Predict(int expert, IConditioning conditioning, string vectors, Tensor sample, SamplingStep step) =>
        Predict(_experts[expert], conditioning, _reference.Get(vectors), sample, step);

    private static Tensor Predict(DiffusionTransformer network, IConditioning conditioning, Tensor vectors, Tensor sample, SamplingStep step)
    {
        using DisposeScope scope = NewDisposeScope();
        using TextContext text = network.Prepare(vectors, conditioning.ImageVectors);
        float[] times = conditioning.Times(Patchify.GridOf(sample, network.Config.PatchSize), step);
        return scope.MoveToOuter(network.Forward(conditioning.Input(sample, step), times, text));
    }

    private double? Number(string argument) =>
        _arguments.TryGetProperty(argument, out JsonElement value) && value.ValueKind == JsonValueKind.Number ? value.GetDouble() : null;

    private string Text(string argument) => _arguments.TryGetProperty(argument, out JsonElement value) ? value.GetString() ?? "" : "";

    // [B, 3, T, H, W] in [−1, 1] to [B, T, H, W, 3] in [0, 1].
    private static Tensor Frames(Tensor video) => ((video * 0.5) + 0.5).clamp(0, 1).permute(0, 2, 3, 4, 1);
}
