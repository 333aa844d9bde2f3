using Sora.Latents;
using Sora.Layers;
using Sora.Training.Data;
using Sora.VideoVae;
using Sora.Weights;

namespace Sora.Training.FineTuning;

/// <summary>
/// Clips with their latents, which the model's autoencoder makes once and a folder keeps. Where the model draws a map of what is where, those
/// of the drawn world have theirs; of footage nobody knows it, and the map is empty, as the autoencoder leaves it.
/// </summary>
internal sealed class TuningClips : IDisposable
{
    private readonly IClipSource _source;
    private readonly LatentCache _cache;
    private readonly int[] _clips;
    private readonly ModelFolder _model;

    private TuningClips(IClipSource source, LatentCache cache, int[] clips, ModelFolder model) => (_source, _cache, _clips, _model) = (source, cache, clips, model);

    /// <summary>The number of clips that can be read.</summary>
    public int Count => _clips.Length;

    /// <summary>Encodes the clips whose latents are not there yet; those that cannot be read are told and passed over.</summary>
    /// <exception cref="SoraException">No clip can be read, or the autoencoder not be used.</exception>
    public static TuningClips Open(ModelFolder model, IClipSource source, string folder, ScalarType computeType, Device device, Action<string> log, CancellationToken cancellationToken)
    {
        if (!File.Exists(Path.Combine(model.VaePath, "config.json")))
            throw new SoraException($"{model.Path} is not in the layout of diffusers, by which latents are told apart; nearest: sora convert {model.Path} --out FOLDER, then the folder.");
        var cache = LatentCache.Open(folder, model.VaePath, log);
        try
        {
            int[] missing = [.. Enumerable.Range(0, source.Count).Where(clip => !cache.Contains(source.Info(clip).Key)).DistinctBy(clip => source.Info(clip).Key)];
            if (missing.Length > 0)
                Encode(model, source, missing, cache, (computeType, device), log, cancellationToken);
            int[] readable = [.. Enumerable.Range(0, source.Count).Where(clip => cache.Contains(source.Info(clip).Key))];
            return readable.Length > 0 ? new(source, cache, readable, model) : throw new SoraException($"No clip of {source.Description} can be read.");
        }
        catch
        {
            cache.Dispose();
            throw;
        }
    }

    /// <summary>A clip's captions.</summary>
    public ClipCaptions Captions(int clip) => _source.Captions(_clips[clip]);

    /// <summary>A clip's normalised latents [1, C, t, h, w], float32.</summary>
    public Tensor Latents(int clip)
    {
        Tensor latents = _cache.Read(_source.Info(_clips[clip]).Key);                            // C t h w
        if (_model.MapChannels is > 0 and int channels && _source.DrawMap(_clips[clip], new(_model.Vae.SpatialStride, _model.Vae.TemporalStride)) is { } map)
        {
            long own = latents.size(0) - channels;
            latents = cat([latents.narrow(0, 0, own), tensor(map, [channels, .. latents.shape[1..]]) * _model.MapGain], 0);
        }
        return latents.unsqueeze(0);
    }

    /// <summary>Closes the latents.</summary>
    public void Dispose() => _cache.Dispose();

    private static void Encode(
        ModelFolder model, IClipSource source, int[] missing, LatentCache cache, (ScalarType Type, Device Device) where, Action<string> log, CancellationToken cancellationToken)
    {
        using IDisposable noGradients = no_grad();
        using var vae = new VideoAutoencoder(model.Vae, new CheckpointParameters(model.OpenWeights("vae"), where.Type, where.Device));
        using var normalizer = new LatentNormalizer(model.Vae, where.Device);
        log($"encoding {missing.Length} clips");
        foreach ((int clip, byte[]? rgb) in Prefetch.Range(0, missing.Length, Draw))
        {
            if (cancellationToken.IsCancellationRequested)
                break;
            if (rgb is null)
                continue;
            ClipInfo info = source.Info(clip);
            using DisposeScope scope = NewDisposeScope();
            Tensor x = new ClipBatch(rgb, [""], info.Shape).ToTensor(where.Device);          // 1 3 T H W
            Tensor latents = Finite.Require(normalizer.Normalize(vae.Encode(x).Mean), "The video encoder"); // 1 C t h w
            cache.Add(info.Key, latents.squeeze(0));
        }
        // What is encoded is kept, also when the rest is not wanted any more.
        cache.Flush();
        cancellationToken.ThrowIfCancellationRequested();

        (int, byte[]?) Draw(long number)
        {
            int clip = missing[number];
            try
            {
                return (clip, source.Draw(clip, CancellationToken.None));
            }
            catch (SoraException exception)
            {
                log($"passed over: {exception.Message.Split('\n')[0]}");
                return (clip, null);
            }
        }
    }
}
