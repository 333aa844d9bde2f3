using Sora.Conditioning;
using Sora.Patches;
using Sora.Sampling;

namespace Sora.Transformer;

/// <summary>
/// The velocity of videos under guidance. All videos, each with its prompt and with its negative prompt, run as one packed
/// batch; positions and the keys and values of texts and images are computed once. Where a video's guidance is off, its
/// negative prompt is not computed.
/// </summary>
/// <remarks>
/// What a video's tokens become does not depend on the others beside it but for the rounding of matrix products, whose order of
/// sums may change with the number of rows.
/// </remarks>
public sealed class GuidedVelocity : IDisposable
{
    private static readonly long[] s_whole = [1, 1, 1, 1, 1];
    private readonly DiffusionTransformer _transformer;
    private readonly GuidedVideo[] _videos;
    private readonly Device _device;
    // The videos of the clips, each with its prompt and then, where it is ever guided, with its negative prompt.
    private readonly Branch[] _branches;
    private readonly TextContext _text;
    private readonly PackedSequence _sequence;
    private readonly SamplePrediction _prediction;
    private readonly Func<StepCache>? _newCache;
    private readonly StepCache? _cache;
    private (Branch[] Branches, TextContext Text, PackedSequence Sequence, StepCache? Cache)? _part;

    /// <summary>Prepares the texts, and the images where the network reads them.</summary>
    /// <param name="transformer">The denoiser.</param>
    /// <param name="videos">The videos, at least one, of any sizes. Their texts and conditionings are used until this is disposed.</param>
    /// <param name="device">Where the transformer is.</param>
    /// <param name="prediction">What the network is given and its output stands for; by default the sample and its velocity.</param>
    /// <param name="cache">Makes a cache for each layout of clips, which this disposes; null: every block is computed at every step.</param>
    /// <exception cref="ArgumentException">There are no videos.</exception>
    public GuidedVelocity(
        DiffusionTransformer transformer, IReadOnlyList<GuidedVideo> videos, Device device, SamplePrediction prediction = default,
        Func<StepCache>? cache = null)
    {
        using IDisposable noGradients = no_grad();
        using DisposeScope scope = NewDisposeScope();
        (_transformer, _videos, _device, _prediction, _newCache) = (transformer, [.. videos], device, prediction, cache);
        _cache = cache?.Invoke();
        _branches = [.. Branches(guidance => guidance.IsOn)];
        (_text, _sequence) = Prepare(_branches);
    }

    /// <summary>Prepares one video's texts, and the images where the network reads them.</summary>
    /// <param name="transformer">The denoiser.</param>
    /// <param name="guidance">The strength; when it is off the negative text is not used.</param>
    /// <param name="text">The prompt's vectors [1, L, text_dim].</param>
    /// <param name="negative">The negative prompt's vectors [1, L, text_dim].</param>
    /// <param name="grid">The patches of the video.</param>
    /// <param name="device">Where the transformer is.</param>
    /// <param name="conditioning">How known frames take part; null: there are none. It is used until this is disposed.</param>
    /// <param name="prediction">What the network is given and its output stands for; by default the sample and its velocity.</param>
    /// <param name="cache">Makes a cache for each layout of clips, which this disposes; null: every block is computed at every step.</param>
    public GuidedVelocity(
        DiffusionTransformer transformer, Guidance guidance, Tensor text, Tensor negative, PatchGrid grid, Device device,
        IConditioning? conditioning = null, SamplePrediction prediction = default, Func<StepCache>? cache = null)
        : this(transformer, [new GuidedVideo(guidance, text, negative, grid, conditioning ?? new NoConditioning(), new StraightTime())], device, prediction, cache)
    {
    }

    /// <summary>The guided velocity of one video's sample [1, C, t, h, w] at a step; a <see cref="Velocity"/>.</summary>
    public Tensor Predict(Tensor sample, SamplingStep step) => Predict([sample], step)[0];

    /// <summary>The guided velocities of the videos' samples [1, C, t, h, w] each, at a step.</summary>
    /// <exception cref="ArgumentException">There is not a sample for each video.</exception>
    public IReadOnlyList<Tensor> Predict(IReadOnlyList<Tensor> samples, SamplingStep step) =>
        [.. InNetworksTime(samples, step).Select((velocity, i) => _videos[i].Time.FromNetwork(velocity.Guided, step))];

    /// <summary>The guided velocities, each beside the prompt's own.</summary>
    /// <exception cref="ArgumentException">There is not a sample for each video.</exception>
    internal IReadOnlyList<(Tensor Guided, Tensor Own)> PredictBoth(IReadOnlyList<Tensor> samples, SamplingStep step) =>
        [.. InNetworksTime(samples, step).Select((velocity, i) => (_videos[i].Time.FromNetwork(velocity.Guided, step), _videos[i].Time.FromNetwork(velocity.Own, step)))];

    /// <summary>Frees the prepared texts and positions.</summary>
    public void Dispose()
    {
        DisposePart();
        _cache?.Dispose();
        _text.Dispose();
        _sequence.Dispose();
    }

    // The velocities, guided and by the prompt alone, before each video's own order of time.
    private (Tensor Guided, Tensor Own)[] InNetworksTime(IReadOnlyList<Tensor> samples, SamplingStep step)
    {
        ArgumentNullException.ThrowIfNull(samples);
        if (samples.Count != _videos.Length)
            throw new ArgumentException($"{samples.Count} samples were given for {_videos.Length} videos.", nameof(samples));
        (Branch[] branches, TextContext text, PackedSequence sequence, StepCache? cache) = At(step);
        IReadOnlyList<int> patch = _transformer.Config.PatchSize;
        Tensor[] seen = [.. _videos.Select((video, i) => video.Time.ToNetwork(samples[i], step))];       // 1 C t h w each
        Tensor[] inputs = [.. _videos.Select((video, i) => Patchify.Cut(_prediction.Input(video.Conditioning.Input(seen[i], step), [step.Sigma], s_whole), patch))]; // N C·pt·ph·pw each
        float[][] timesOf = [.. _videos.Select(video => video.Conditioning.Times(video.Grid, step))];
        TokenTimes times = TokenTimes.PerToken([.. branches.SelectMany(branch => timesOf[branch.Video])]);
        Tensor patches = branches.Length == 1 ? inputs[0] : cat([.. branches.Select(branch => inputs[branch.Video])], 0);
        Tensor output = _transformer.Forward(patches, times, text, sequence, cache);             // N pt·ph·pw·C
        var results = new (Tensor Guided, Tensor Own)[_videos.Length];
        for (int clip = 0; clip < branches.Length; clip++)
        {
            (int i, bool negative) = branches[clip];
            GuidedVideo video = _videos[i];
            Tensor ofClip = output.narrow(0, sequence.Layout.Offset(clip), video.Grid.Count);
            Tensor velocity = _prediction.Velocity(seen[i], Patchify.Join(ofClip, 1, video.Grid, patch, _transformer.Config.OutChannels), [step.Sigma], s_whole); // 1 C t h w
            results[i] = negative ? results[i] with { Guided = video.Guidance.Combine(results[i].Own, velocity, _prediction.Lead) } : (velocity, velocity);
        }
        return results;
    }

    // The branches that take part at a step: at noise levels without guidance a video's prompt runs alone.
    private (Branch[] Branches, TextContext Text, PackedSequence Sequence, StepCache? Cache) At(SamplingStep step)
    {
        Branch[] now = [.. Branches(guidance => guidance.IsOnAt(step.Sigma))];
        if (now.Length == _branches.Length)
            return (_branches, _text, _sequence, _cache);
        if (_part is { } part && part.Branches.AsSpan().SequenceEqual(now))
            return part;
        DisposePart();
        // Solvers evaluate in scopes of their own; this stays until guidance changes again.
        using IDisposable noGradients = no_grad();
        using DisposeScope scope = NewDisposeScope();
        (TextContext text, PackedSequence sequence) = Prepare(now);
        _part = (now, text, sequence, _newCache?.Invoke());
        return _part.Value;
    }

    private (TextContext Text, PackedSequence Sequence) Prepare(Branch[] branches)
    {
        Tensor texts = cat([.. branches.Select(branch => branch.Negative ? _videos[branch.Video].Negative : _videos[branch.Video].Text)], 0);
        return (
            _transformer.Prepare(texts, Images(branches)).Detach(),
            new(branches.Select(branch => _videos[branch.Video].Grid), _transformer.Config.AttentionHeadDim, _device));
    }

    private IEnumerable<Branch> Branches(Func<Guidance, bool> isGuided)
    {
        for (int i = 0; i < _videos.Length; i++)
        {
            yield return new(i, Negative: false);
            if (isGuided(_videos[i].Guidance))
                yield return new(i, Negative: true);
        }
    }

    // The image of one video is shared by its branches; those of several videos are repeated, one for each branch.
    private Tensor? Images(Branch[] branches) =>
        _videos.Length == 1 || _videos[0].Conditioning.ImageVectors is null
            ? _videos[0].Conditioning.ImageVectors
            : cat([.. branches.Select(branch => _videos[branch.Video].Conditioning.ImageVectors!)], 0);

    private void DisposePart()
    {
        _part?.Text.Dispose();
        _part?.Sequence.Dispose();
        _part?.Cache?.Dispose();
        _part = null;
    }

    private readonly record struct Branch(int Video, bool Negative);
}
