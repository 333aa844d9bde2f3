using Sora.Conditioning;
using Sora.Patches;
using Sora.Sampling;

namespace Sora.Transformer;

/// <summary>
/// The velocity of one video under guidance. The video with its prompt and the video with the negative prompt run as one
/// packed batch; positions and the keys and values of texts and images are computed once. Where guidance is off the
/// negative prompt is not computed.
/// </summary>
public sealed class GuidedVelocity : IDisposable
{
    private readonly DiffusionTransformer _transformer;
    private readonly Guidance _guidance;
    private readonly TextContext _text;
    private readonly PackedSequence _sequence;
    private readonly IConditioning _conditioning;
    private readonly FlowPrediction _prediction;
    private readonly GuidedVelocity? _unguided;

    /// <summary>Prepares the texts, and the images where the network reads them.</summary>
    /// <param name="transformer">The denoiser.</param>
    /// <param name="guidance">The strength; when it is off the negative text is not used.</param>
    /// <param name="text">The prompt's vectors [1, L, text_dim].</param>
    /// <param name="negative">The negative prompt's vectors [1, L, text_dim].</param>
    /// <param name="grid">The patches of the video.</param>
    /// <param name="device">Where the transformer is.</param>
    /// <param name="conditioning">How known frames take part; null: there are none. It is used until this is disposed.</param>
    /// <param name="prediction">What the network's output stands for.</param>
    public GuidedVelocity(
        DiffusionTransformer transformer, Guidance guidance, Tensor text, Tensor negative, PatchGrid grid, Device device,
        IConditioning? conditioning = null, FlowPrediction prediction = FlowPrediction.Velocity)
    {
        using IDisposable noGradients = no_grad();
        using DisposeScope scope = NewDisposeScope();
        _transformer = transformer;
        _guidance = guidance;
        _prediction = prediction;
        _conditioning = conditioning ?? new NoConditioning();
        _text = transformer.Prepare(guidance.IsOn ? cat([text, negative], 0) : text, _conditioning.ImageVectors).Detach();
        _sequence = new(Enumerable.Repeat(grid, guidance.IsOn ? 2 : 1), transformer.Config.AttentionHeadDim, device);
        // At noise levels without guidance the prompt runs alone.
        if (guidance.IsOn && guidance.Interval is { } interval && interval != SigmaInterval.All)
            _unguided = new(transformer, default, text, text, grid, device, conditioning, prediction);
    }

    /// <summary>The guided velocity of a sample [1, C, t, h, w] at a step; a <see cref="Velocity"/>.</summary>
    public Tensor Predict(Tensor sample, SamplingStep step)
    {
        if (_unguided is not null && !_guidance.IsOnAt(step.Sigma))
            return _unguided.Predict(sample, step);
        PatchGrid grid = _sequence.Layout.Grid(0);
        IReadOnlyList<int> patch = _transformer.Config.PatchSize;
        int clips = _sequence.Layout.Clips;
        Tensor patches = Patchify.Cut(_conditioning.Input(sample, step), patch);          // N C·pt·ph·pw
        float[] timesOfOne = _conditioning.Times(grid, step);
        TokenTimes times = TokenTimes.PerToken(clips == 2 ? [.. timesOfOne, .. timesOfOne] : timesOfOne);
        Tensor output = _transformer.Forward(clips == 2 ? cat([patches, patches], 0) : patches, times, _text, _sequence);
        Tensor velocity = _prediction.Velocity(sample, Patchify.Join(output, clips, grid, patch, _transformer.Config.OutChannels), step.Sigma); // clips C t h w
        return clips == 2 ? _guidance.Combine(velocity.narrow(0, 0, 1), velocity.narrow(0, 1, 1)) : velocity;
    }

    /// <summary>Frees the prepared texts and positions.</summary>
    public void Dispose()
    {
        _unguided?.Dispose();
        _text.Dispose();
        _sequence.Dispose();
    }
}
