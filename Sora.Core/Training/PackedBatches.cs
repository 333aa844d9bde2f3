using System.Globalization;
using Sora.Latents;
using Sora.Patches;
using Sora.Training.Data;
using Sora.Weights;

namespace Sora.Training;

/// <summary>
/// Batches of clips of their own sizes and lengths, packed to <see cref="FlowTrainingConfig.TokensPerStep"/>; their latents
/// are read from disk.
/// </summary>
internal sealed class PackedBatches : IFlowBatches
{
    private readonly FlowTrainingConfig _config;
    private readonly ulong _draws;
    private readonly EncodedClips _clips;
    private readonly EncodedClips _validationClips;
    private readonly int[] _trained;
    private readonly int[] _heldOut;
    private readonly PatchGrid[] _grids;
    private readonly PackingPlan _plan;
    private readonly ClipStrides? _cell; // of a map of what is where; null: there is none

    /// <summary>Plans the steps; disposes the clips with itself.</summary>
    /// <param name="config">The training.</param>
    /// <param name="clips">What is trained on.</param>
    /// <param name="vae">The autoencoder of the latents.</param>
    /// <param name="log">Told what there is.</param>
    /// <param name="validation">Clips to validate on; null: keeps some of the others apart where the training validates, a tenth at most.</param>
    /// <exception cref="SoraException">A clip alone has more tokens than a step.</exception>
    public PackedBatches(FlowTrainingConfig config, EncodedClips clips, AutoencoderKLWanConfig vae, Action<string> log, EncodedClips? validation = null)
    {
        _cell = config.SemanticMap ? new(vae.SpatialStride, vae.TemporalStride) : null;
        (_config, _draws, _clips, _validationClips) = (config, FlowBatches.SeedOfDraws(config), clips, validation ?? clips);
        int held = validation is not null || !config.Validates ? 0 : Math.Min(config.ValidationClips, clips.Count / 10);
        // Spread evenly, since the clips of one file follow one another.
        ILookup<bool, int> parts = Enumerable.Range(0, clips.Count).ToLookup(i => (i + 1L) * held / clips.Count > (long)i * held / clips.Count);
        _trained = [.. parts[false]];
        _heldOut = validation is null ? [.. parts[true]] : [.. Enumerable.Range(0, validation.Count)];
        _grids = [.. Enumerable.Range(0, clips.Count).Select(i => clips.GridOf(i, config.Transformer.PatchSize))];
        int largest = Array.IndexOf(_grids, _grids.MaxBy(grid => grid.Count));
        RequireFit(config, _grids[largest].Count, clips.Info(largest));
        _plan = new([.. _trained.Select(clip => _grids[clip].Count)], config.TokensPerStep, _draws);
        log(string.Create(CultureInfo.InvariantCulture,
            $"{clips.Description}: {_trained.Length} clips in {_grids.Distinct().Count()} shapes, {_grids.Average(grid => grid.Count):F0} tokens each; {_plan.Unused:P1} of a step's tokens stay unused{(held > 0 ? $"; {held} clips are kept apart for validation" : "")}"));
    }

    /// <summary>Refuses clips of which one alone has more tokens than a step, before any is encoded.</summary>
    /// <param name="config">The training.</param>
    /// <param name="clips">The clips, at least one.</param>
    /// <param name="vae">The autoencoder of their latents.</param>
    /// <exception cref="SoraException">There is one.</exception>
    public static void RequireFit(FlowTrainingConfig config, IClipSource clips, AutoencoderKLWanConfig vae)
    {
        ClipInfo largest = Enumerable.Range(0, clips.Count).Select(clips.Info).MaxBy(clip => TokensOf(clip.Shape))!;
        RequireFit(config, TokensOf(largest.Shape), largest);

        int TokensOf(ClipShape shape) =>
            (((shape.Frames - 1) / vae.TemporalStride) + 1) * (shape.Height / vae.SpatialStride) * (shape.Width / vae.SpatialStride) / config.Transformer.PatchSize.Aggregate((a, b) => a * b);
    }

    private static void RequireFit(FlowTrainingConfig config, int tokens, ClipInfo clip)
    {
        if (tokens > config.TokensPerStep)
            throw new SoraException($"tokens_per_step {config.TokensPerStep} is less than the {tokens} tokens of {clip.Name} ({clip.Shape}); nearest: {tokens}.");
    }

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, long> Vocabulary => _clips.Vocabulary;

    /// <inheritdoc/>
    public IEnumerable<string> WrittenCaptions => _config.Data.Folder is null ? []
        : Enumerable.Range(0, _clips.Count).Select(_clips.Captions).SelectMany(captions => captions.Short.Concat(captions.Detailed)).Distinct();

    /// <inheritdoc/>
    public FlowBatch Draw(long number)
    {
        // Clips of one length side by side: attention runs over them as one batch (PackedLayout.Runs).
        int[] clips = [.. _plan.Clips(number).Select(i => _trained[i]).OrderBy(clip => _grids[clip].Count).ThenBy(clip => _grids[clip].T).ThenBy(clip => _grids[clip].W)];
        PatchGrid[] grids = [.. clips.Select(clip => _grids[clip])];
        var random = new GaussianNoise(_draws, $"flow step {number}");
        var words = new GaussianNoise(_draws, $"flow words {number}");
        var captions = new string[clips.Length];
        var levels = new List<float>();
        var parts = new Tensor[clips.Length];
        for (int i = 0; i < clips.Length; i++)
        {
            captions[i] = CaptionDropout.Apply(_config, random, words, i, () =>
                _clips.Captions(clips[i]).Pick(_config.DetailedShare, random.Uniform((ulong)(200_000 + i)), random.Uniform((ulong)(300_000 + i))));
            levels.AddRange(_config.Noise.Draw(new GaussianNoise(_draws + (ulong)number, (ulong)i), grids[i].T, grids[i].Count));
            parts[i] = Patchify.Cut(Read(_clips, clips[i]), _config.Transformer.PatchSize);
        }

        Tensor data = cat(parts, 0);                                                             // N P
        var gaussian = new float[data.NumberOfElements];
        new GaussianNoise(_draws, $"flow noise {number}").Fill(gaussian);
        return new(data, tensor(gaussian, data.shape), FlowBatch.OfTokens([.. levels], grids), grids, captions);
    }

    /// <inheritdoc/>
    // Spread over all, which follow one another by their files.
    public Tensor[] Examples(int count) =>
        [.. _trained.Where((_, i) => i % Math.Max(1, _trained.Length / count) == 0).Take(count).Select(clip => Read(_clips, clip))];

    /// <inheritdoc/>
    public int ValidationBatches => (_heldOut.Length + FlowBatch.ValidationClips - 1) / FlowBatch.ValidationClips;

    /// <inheritdoc/>
    public FlowBatch DrawValidation(int number)
    {
        int first = number * FlowBatch.ValidationClips;
        return FlowBatch.ForValidation(
            [.. _heldOut.Skip(first).Take(FlowBatch.ValidationClips).Select(clip => (
                Patchify.Cut(Read(_validationClips, clip), _config.Transformer.PatchSize),
                _validationClips.GridOf(clip, _config.Transformer.PatchSize),
                _validationClips.Captions(clip).Pick(0, 0, 0)))],
            first, _config.Seed);
    }

    // 1 C t h w
    private Tensor Read(EncodedClips clips, int clip) => (_cell is { } cell ? clips.ReadMapped(clip, cell) : clips.Read(clip)).unsqueeze(0);

    /// <summary>Closes the latents' files.</summary>
    public void Dispose()
    {
        _validationClips.Dispose();
        _clips.Dispose();
    }
}
