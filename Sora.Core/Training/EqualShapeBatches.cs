using Sora.Latents;
using Sora.Patches;
using Sora.Training.SpriteWorld;
using Sora.VideoVae;
using Sora.Weights;

namespace Sora.Training;

/// <summary>
/// Batches of the drawn world in one shape, its latents in memory: clips in some steps, single pictures in the others.
/// </summary>
internal sealed class EqualShapeBatches : IFlowBatches
{
    private readonly FlowTrainingConfig _config;
    private readonly ulong _draws;
    private readonly LatentClips _clips;
    private readonly LatentClips _pictures;
    private readonly LatentClips? _closeUps;
    private readonly LatentClips? _validation;
    private readonly int _covered; // pixels along a patch's side

    /// <summary>Reads the latents that an earlier run wrote, or draws and encodes the clips.</summary>
    public EqualShapeBatches(FlowTrainingConfig config, World world, VideoAutoencoder vae, Action<string> log, CancellationToken cancellationToken)
    {
        (_config, _draws) = (config, FlowBatches.SeedOfDraws(config));
        Emphasis? emphasis = config.Emphasis is { } weights ? new(weights, world.Config) : null;
        World trained = config.TiltedShare > 0 ? new(world.Config with { TiltedShare = (float)config.TiltedShare }, world.Atlas) : world;
        string autoencoder = ModelFingerprint.OfComponent(config.VaeFolder);
        _covered = vae.Config.SpatialStride * config.Transformer.PatchSize[1];
        config.CloseUps?.Check(config.Shape, _covered);
        _pictures = LatentClips.Open(
            Path.Combine(config.RunFolder, "pictures.safetensors"), trained, vae,
            new(config.Shape with { Frames = 1 }, config.FramesPerSecond, config.Pictures, config.Seed + 1) { Emphasis = emphasis, Autoencoder = autoencoder, Map = config.SemanticMap }, log, cancellationToken);
        if (config.CloseUps is { } windows)
        {
            _closeUps = LatentClips.Open(
                Path.Combine(config.RunFolder, "close-ups.safetensors"), trained, vae,
                new(config.Shape with { Frames = 1 }, config.FramesPerSecond, windows.Count, config.Seed + 3, windows.Size) { Emphasis = emphasis, Autoencoder = autoencoder, Map = config.SemanticMap }, log, cancellationToken);
        }
        _clips = LatentClips.Open(
            Path.Combine(config.RunFolder, "latents.safetensors"), trained, vae,
            new(config.Shape, config.FramesPerSecond, config.Clips, config.Seed) { Emphasis = emphasis, Autoencoder = autoencoder, Map = config.SemanticMap }, log, cancellationToken);
        if (config.Validates)
        {
            // As chance has them: a validation loss is compared with other trainings'.
            _validation = LatentClips.Open(
                Path.Combine(config.RunFolder, FormattableString.Invariant($"validation-{config.ValidationClips}.safetensors")), world, vae,
                new(config.Shape, config.FramesPerSecond, config.ValidationClips, config.Seed + 2) { Autoencoder = autoencoder, Map = config.SemanticMap }, log, cancellationToken);
        }
    }

    /// <inheritdoc/>
    // The words of the whole world, so that a training on a part of it can be followed by one on more.
    public IReadOnlyDictionary<string, long> Vocabulary => WorldVocabulary.Of(SpriteWorldConfig.Everything, _config.DetailedShare > 0);

    /// <inheritdoc/>
    public IEnumerable<string> WrittenCaptions => [];

    /// <inheritdoc/>
    public FlowBatch Draw(long number)
    {
        var random = new GaussianNoise(_draws, $"flow step {number}");
        LatentClips clips = random.Uniform(1) >= _config.PictureShare ? _clips
            : _closeUps is not null && random.Uniform(3) < _config.CloseUps!.Share ? _closeUps
            : _pictures;
        long all = clips.Latents.size(2);
        // Beginnings of clips are clips: other lengths come at little cost.
        long frames = random.Uniform(2) < 0.15 ? Math.Min(3, all) : all;
        PatchGrid whole = Patchify.GridOf(clips.Latents.narrow(2, 0, frames), _config.Transformer.PatchSize);
        PatchGrid grid = clips == _clips && _closeUps is not null && random.Uniform(4) < _config.CloseUps!.ClipShare ? WindowOf(whole, random) : whole;
        int count = _config.TokensPerStep / grid.Count;

        var words = new GaussianNoise(_draws, $"flow words {number}");
        var indices = new long[count];
        var captions = new string[count];
        var levels = new float[count * grid.T];
        for (int i = 0; i < count; i++)
        {
            indices[i] = (long)(random.Uniform((ulong)(1000 + i)) * clips.Count);
            captions[i] = CaptionDropout.Apply(_config, random, words, i, () =>
                _config.DetailedShare > 0 && random.Uniform((ulong)(200_000 + i)) < _config.DetailedShare
                    ? DetailedCaption.Of(clips.Description((int)indices[i]))
                    : clips.Caption((int)indices[i], (ulong)number));
            _config.Noise.Draw(new GaussianNoise(_draws + (ulong)number, (ulong)i), grid.T, grid.Count).CopyTo(levels, i * grid.T);
        }

        Tensor data = grid == whole
            ? clips.Latents.index_select(0, tensor(indices)).narrow(2, 0, frames)
            : stack([.. indices.Select((clip, i) => Window(clips, (int)clip, frames, whole, grid, random, i))]); // B C t h w
        var gaussian = new float[data.NumberOfElements];
        new GaussianNoise(_draws, $"flow noise {number}").Fill(gaussian);
        PatchGrid[] grids = [.. Enumerable.Repeat(grid, count)];
        return new(
            Patchify.Cut(data, _config.Transformer.PatchSize),                                   // N P
            Patchify.Cut(tensor(gaussian, data.shape), _config.Transformer.PatchSize),           // N P
            FlowBatch.OfTokens(levels, grids), grids, captions);
    }

    // As high or as wide as a window, and along the other side up to the whole clip.
    private PatchGrid WindowOf(PatchGrid whole, GaussianNoise random)
    {
        int least = _config.CloseUps!.Size / _covered;
        int Longer(int all) => least + (int)(random.Uniform(5) * (all - least + 1));
        return random.Uniform(6) < 0.5 ? whole with { H = least, W = Longer(whole.W) } : whole with { H = Longer(whole.H), W = least };
    }

    // Around where the subject is at some moment.
    private Tensor Window(LatentClips clips, int clip, long frames, PatchGrid whole, PatchGrid window, GaussianNoise random, int number)
    {
        double Draw(int what) => random.Uniform((ulong)(300_000 + (100_000 * what) + number));
        (float x, float y) = clips.SubjectAt(clip, Draw(0));
        ValueList<int> patch = _config.Transformer.PatchSize;
        int top = First(y, whole.H, window.H, Draw(1)), left = First(x, whole.W, window.W, Draw(2));
        return clips.Latents.select(0, clip).narrow(1, 0, frames)
            .narrow(2, top * patch[1], window.H * patch[1]).narrow(3, left * patch[2], window.W * patch[2]);     // C t h w

        // The subject may be off the middle by a seventh of the window, as in CloseUp.
        static int First(float centre, int all, int side, double draw) =>
            (int)Math.Clamp(Math.Round((centre * all) - (side / 2.0) + (side * 0.3 * (draw - 0.5))), 0, all - side);
    }

    /// <inheritdoc/>
    public Tensor[] Examples(int count)
    {
        LatentClips clips = _clips.Count > 0 ? _clips : _pictures;
        return [.. Enumerable.Range(0, Math.Min(count, clips.Count)).Select(i => clips.Latents.narrow(0, i, 1))];
    }

    /// <inheritdoc/>
    public int ValidationBatches => ((_validation?.Count ?? 0) + FlowBatch.ValidationClips - 1) / FlowBatch.ValidationClips;

    /// <inheritdoc/>
    public FlowBatch DrawValidation(int number)
    {
        LatentClips clips = _validation ?? throw new InvalidOperationException("No clips are kept apart.");
        int first = number * FlowBatch.ValidationClips;
        PatchGrid grid = Patchify.GridOf(clips.Latents, _config.Transformer.PatchSize);
        int count = Math.Min(FlowBatch.ValidationClips, clips.Count - first);
        var subject = new float[count * grid.Count];
        for (int i = 0; i < count; i++)
            clips.MarkSubject(first + i, grid, _config.Transformer.PatchSize[0], subject.AsSpan(i * grid.Count, grid.Count));
        return FlowBatch.ForValidation(
            [.. Enumerable.Range(first, count)
                .Select(i => (Patchify.Cut(clips.Latents.narrow(0, i, 1), _config.Transformer.PatchSize), grid, clips.Caption(i, 0)))],
            first, _config.Seed) with { Subject = tensor(subject, [subject.Length, 1]) };
    }

    /// <summary>Frees the latents.</summary>
    public void Dispose()
    {
        _validation?.Dispose();
        _clips.Dispose();
        _closeUps?.Dispose();
        _pictures.Dispose();
    }
}
