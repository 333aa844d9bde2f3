using System.Text.Json;
using Sora.Latents;
using Sora.Sampling;
using Sora.Text;
using Sora.Transformer;
using Sora.VideoVae;
using Sora.Weights;
using Xunit;

namespace Sora.Tests.Parity;

/// <summary>
/// A model folder with one whole generation: each stage from the reference's own inputs, so that errors do not add up, and
/// then all of them in a row.
/// </summary>
internal sealed class PipelineParity : IDisposable
{
    private readonly ReferenceCase _reference;
    private readonly JsonElement _arguments;
    private readonly ModelFolder _model;
    private readonly DiffusionTransformer _transformer;
    private readonly VideoAutoencoder _vae;
    private readonly LatentNormalizer _normalizer;
    private readonly Guidance _guidance;
    private readonly int _steps;

    private PipelineParity(string folder)
    {
        _reference = new(folder);
        _arguments = _reference.Description.GetProperty("arguments");
        _model = ModelFolder.Open(folder);
        _transformer = new(_model.Transformer, new CheckpointParameters(_model.TransformerPath, float32, CPU));
        _vae = new(_model.Vae, new CheckpointParameters(_model.VaePath, float32, CPU));
        _normalizer = new(_model.Vae, CPU);
        _guidance = new(_arguments.GetProperty("guidance_scale").GetDouble());
        _steps = _arguments.GetProperty("num_inference_steps").GetInt32();
    }

    public static void Run(string folder)
    {
        using IDisposable noGradients = no_grad();
        using DisposeScope scope = NewDisposeScope();
        using var pipeline = new PipelineParity(folder);
        Tensor prompt = pipeline.CheckText("prompt", "prompt_ids", "prompt_mask", "prompt_embeds");
        // Without guidance the reference has no negative prompt.
        Tensor negative = pipeline._guidance.IsOn
            ? pipeline.CheckText("negative_prompt", "negative_ids", "negative_mask", "negative_prompt_embeds")
            : prompt;
        pipeline.CheckSchedule();
        pipeline.CheckSteps();
        pipeline.CheckDecoding();
        pipeline.CheckWhole(prompt, negative, legacy: false);
        if (pipeline._reference.Has("legacy.latents_final"))
            pipeline.CheckWhole(prompt, negative, legacy: true);
    }

    public void Dispose()
    {
        _normalizer.Dispose();
        _vae.Dispose();
        _transformer.Dispose();
        _reference.Dispose();
    }

    private Tensor CheckText(string argument, string ids, string mask, string vectors)
    {
        string text = _arguments.TryGetProperty(argument, out JsonElement value) ? value.GetString() ?? "" : "";
        var tokenizer = new PromptTokenizer(SentencePieceTokenizer.Load(_model.SentencePiecePath));
        TokenizedPrompt tokens = tokenizer.Tokenize(text, _arguments.GetProperty("max_sequence_length").GetInt32());
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

    private ISolver Solver(bool legacy) => Solvers.Create(_model.Scheduler.Sampler, _steps, _model.Scheduler.Shift, _model.Scheduler, legacy);

    private void CheckSchedule()
    {
        foreach (string prefix in (string[])["", "legacy."])
        {
            if (!_reference.Has($"{prefix}sigmas") && prefix.Length > 0)
                continue;
            using ISolver solver = Solver(prefix.Length > 0);
            _reference.Close($"{prefix}timesteps", tensor([.. solver.Schedule.Times]), _model.Scheduler.Sampler == Sampler.UniPC ? 0 : 2e-3);
            _reference.Close($"{prefix}sigmas", tensor([.. solver.Schedule.Sigmas]), 1e-6);
            if (prefix.Length == 0)
                Assert.All(_reference.Numbers("model_timestep_first_call"), t => Assert.Equal(t, solver.Schedule.Times[0]));
        }
    }

    // Every step from the reference's latents.
    private void CheckSteps()
    {
        using TextContext prompt = _transformer.Prepare(_reference.Get("prompt_embeds"));
        using TextContext negative = _transformer.Prepare(_reference.Get(_guidance.IsOn ? "negative_prompt_embeds" : "prompt_embeds"));
        Tensor latents = _reference.Get("latents"), predictions = _reference.Get("noise_pred");
        using ISolver solver = Solver(legacy: false);
        for (int i = 0; i < _steps; i++)
        {
            using DisposeScope scope = NewDisposeScope();
            Tensor sample = i == 0 ? _reference.Get("noise") : latents.select(0, i - 1);
            float[] times = [.. Enumerable.Repeat(solver.Schedule.Times[i], (int)sample.size(0))];
            Tensor conditional = _transformer.Forward(sample, times, prompt);
            CloseAt("noise_cond", i, conditional, "noise_cond");
            Tensor guided = conditional;
            if (_guidance.IsOn)
            {
                Tensor unconditional = _transformer.Forward(sample, times, negative);
                CloseAt("noise_uncond", i, unconditional, "noise_uncond");
                guided = _guidance.Combine(
                    _reference.Get("noise_cond").select(0, i), _reference.Get("noise_uncond").select(0, i));
            }
            CloseAt("noise_pred", i, guided, "noise_pred");
            CloseAt("latents", i, solver.Step(predictions.select(0, i), sample, i), "latents");
        }
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

    // Everything in a row from the prompt's own vectors and the noise.
    private void CheckWhole(Tensor promptVectors, Tensor negativeVectors, bool legacy)
    {
        using TextContext prompt = _transformer.Prepare(promptVectors);
        using TextContext negative = _transformer.Prepare(negativeVectors);
        Velocity velocity = _guidance.Around(For(prompt), For(negative));
        using ISolver solver = Solver(legacy);
        Tensor latents = FlowSampler.Sample(velocity, _reference.Get("noise"), solver);
        _reference.Close(legacy ? "legacy.latents_final" : "latents_final", latents, _reference.Tolerance("latents"));

        Tensor frames = Frames(_vae.Decode(_normalizer.Restore(latents)));
        if (legacy)
            _reference.Close("legacy.frames_first", frames.narrow(1, 0, 1), _reference.Tolerance("frames"));
        else
            _reference.Close("frames", frames, _reference.Tolerance("frames"));
    }

    private Velocity For(TextContext text) => (sample, step) =>
        _transformer.Forward(sample, [.. Enumerable.Repeat(step.Time, (int)sample.size(0))], text);

    // [B, 3, T, H, W] in [−1, 1] to [B, T, H, W, 3] in [0, 1].
    private static Tensor Frames(Tensor video) => ((video * 0.5) + 0.5).clamp(0, 1).permute(0, 2, 3, 4, 1);
}
