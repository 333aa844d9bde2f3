using System.Globalization;
using Sora.Latents;
using Sora.Patches;
using Sora.Training.Data;

namespace Sora.Training;

/// <summary>
/// Batches of clips of their own sizes and lengths, packed to <see cref="FlowTrainingConfig.TokensPerStep"/>; their latents
/// are read from disk.
/// </summary>
internal sealed class PackedBatches : IFlowBatches
{
    private readonly FlowTrainingConfig _config;
    private readonly EncodedClips _clips;
    private readonly PatchGrid[] _grids;
    private readonly PackingPlan _plan;

    /// <summary>Plans the steps; disposes the clips with itself.</summary>
    /// <exception cref="SoraException">A clip alone has more tokens than a step.</exception>
    public PackedBatches(FlowTrainingConfig config, EncodedClips clips, Action<string> log)
    {
        (_config, _clips) = (config, clips);
        _grids = [.. Enumerable.Range(0, clips.Count).Select(i => clips.GridOf(i, config.Transformer.PatchSize))];
        int largest = Array.IndexOf(_grids, _grids.MaxBy(grid => grid.Count));
        if (_grids[largest].Count > config.TokensPerStep)
        {
            ClipInfo clip = clips.Info(largest);
            throw new SoraException(
                $"tokens_per_step {config.TokensPerStep} is less than the {_grids[largest].Count} tokens of {clip.Name} ({clip.Shape}); nearest: {_grids[largest].Count}.");
        }
        _plan = new([.. _grids.Select(grid => grid.Count)], config.TokensPerStep, config.Seed);
        log(string.Create(CultureInfo.InvariantCulture,
            $"{clips.Description}: {clips.Count} clips in {_grids.Distinct().Count()} shapes, {_grids.Average(grid => grid.Count):F0} tokens each; {_plan.Unused:P1} of a step's tokens stay unused"));
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
        int[] clips = [.. _plan.Clips(number).OrderBy(clip => _grids[clip].Count).ThenBy(clip => _grids[clip].T).ThenBy(clip => _grids[clip].W)];
        PatchGrid[] grids = [.. clips.Select(clip => _grids[clip])];
        var random = new GaussianNoise(_config.Seed, $"flow step {number}");
        var captions = new string[clips.Length];
        var levels = new List<float>();
        var parts = new Tensor[clips.Length];
        for (int i = 0; i < clips.Length; i++)
        {
            captions[i] = random.Uniform((ulong)(100_000 + i)) < _config.CaptionDropout ? ""
                : _clips.Captions(clips[i]).Pick(_config.DetailedShare, random.Uniform((ulong)(200_000 + i)), random.Uniform((ulong)(300_000 + i)));
            levels.AddRange(_config.Noise.Draw(new GaussianNoise(_config.Seed + (ulong)number, (ulong)i), grids[i].T));
            parts[i] = Patchify.Cut(_clips.Read(clips[i]).unsqueeze(0), _config.Transformer.PatchSize);
        }

        Tensor data = cat(parts, 0);                                                             // N P
        var gaussian = new float[data.NumberOfElements];
        new GaussianNoise(_config.Seed, $"flow noise {number}").Fill(gaussian);
        return new(data, tensor(gaussian, data.shape), FlowBatch.OfTokens([.. levels], grids), grids, captions);
    }

    /// <summary>Closes the latents' files.</summary>
    public void Dispose() => _clips.Dispose();
}
