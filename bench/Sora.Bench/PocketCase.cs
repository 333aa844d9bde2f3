using Sora.Latents;
using Sora.Patches;
using Sora.Sampling;
using Sora.Text;
using Sora.Transformer;
using Sora.Weights;

namespace Sora.Bench;

/// <summary>A model's transformer with a prompt, ready to be sampled by itself: the steps, without text encoder and decoder.</summary>
internal sealed class PocketCase : IDisposable
{
    public static readonly string[] Prompts =
    [
        "a red fish swims left in the deep sea",
        "a yellow ball bounces in the desert",
        "a dog moves right on the meadow",
    ];

    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly DiffusionTransformer _transformer;
    private readonly ModelFolder _folder;
    private readonly LatentShape _shape;
    private readonly Tensor _text;
    private readonly Tensor _negative;

    /// <param name="transformer">The model's transformer, which the caller disposes.</param>
    /// <param name="folder">The model.</param>
    /// <param name="prompt">The prompt.</param>
    /// <param name="quick">Whether the video is the smallest.</param>
    public PocketCase(DiffusionTransformer transformer, ModelFolder folder, string prompt, bool quick)
    {
        (_transformer, _folder) = (transformer, folder);
        Request = RequestOf(prompt, folder.Limits, quick);
        _shape = LatentShape.Of(Request, folder.Vae);
        Noise = LatentNoise.Create(_shape, Request.Seed!.Value, CPU);                     // 1 C t h w
        Grid = Patchify.GridOf(Noise, folder.Transformer.PatchSize);
        (_text, _negative) = Encode(folder, Request);                                     // 1 L D
    }

    public VideoRequest Request { get; }

    public Tensor Noise { get; }

    public PatchGrid Grid { get; }

    /// <summary>The latent after all steps.</summary>
    /// <param name="sampler">The solver.</param>
    /// <param name="steps">The number of steps.</param>
    /// <param name="cache">Makes a step cache; null: none.</param>
    public Tensor Sample(Sampler sampler, int steps, Func<StepCache>? cache = null)
    {
        using var velocity = new GuidedVelocity(_transformer, new Guidance(Request.GuidanceScale!.Value), _text, _negative, Grid, CPU, null, _folder.Scheduler.Prediction, cache);
        using ISolver solver = Solvers.Create(
            sampler, steps, Request.Shift!.Value, _folder.Scheduler,
            noise: step => LatentNoise.OfStep(step, _shape, Request.Seed!.Value, CPU));
        return FlowSampler.Sample(velocity.Predict, Noise, solver);
    }

    public void Dispose() => _scope.Dispose();

    private static VideoRequest RequestOf(string prompt, ModelLimits limits, bool quick)
    {
        VideoRequest request = new(prompt) { Seed = 1 };
        return (quick
            ? request with { Width = 2 * limits.SpatialStride, Height = 2 * limits.SpatialStride, FrameCount = limits.TemporalStride + 1 }
            : request).Resolve(limits);
    }

    private static (Tensor Text, Tensor Negative) Encode(ModelFolder folder, VideoRequest request)
    {
        using var encoder = new UMT5Encoder(
            folder.TextEncoder, new CheckpointParameters(folder.TextEncoderPath, float32, CPU, CheckpointParameters.TextEncoderNames));
        var prompts = new PromptEncoder(
            new PromptTokenizer(SentencePieceTokenizer.Load(folder.SentencePiecePath)), encoder, folder.Defaults.MaxSequenceLength, CPU);
        return (prompts.Encode(request.Prompt), prompts.Encode(request.NegativePrompt!));
    }
}
