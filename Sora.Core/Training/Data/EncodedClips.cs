using System.Diagnostics;
using System.Globalization;
using Sora.Latents;
using Sora.Patches;
using Sora.VideoVae;

namespace Sora.Training.Data;

/// <summary>Clips of any sizes with their latents in a <see cref="LatentCache"/>: the autoencoder runs once a clip.</summary>
public sealed class EncodedClips : IDisposable
{
    // Pixels encoded at once; larger clips are encoded alone.
    private const long BatchPixels = 1_200_000;

    private static readonly TimeSpan s_betweenMessages = TimeSpan.FromSeconds(20);

    private readonly IClipSource _source;
    private readonly LatentCache _cache;
    private readonly (int Clip, string Key)[] _clips;

    private EncodedClips(IClipSource source, LatentCache cache, (int Clip, string Key)[] clips) => (_source, _cache, _clips) = (source, cache, clips);

    /// <summary>What the clips are.</summary>
    public string Description => _source.Description;

    /// <summary>The number of clips that have latents.</summary>
    public int Count => _clips.Length;

    /// <summary>The words of all captions.</summary>
    public IReadOnlyDictionary<string, long> Vocabulary => _source.Vocabulary;

    /// <summary>Encodes the clips whose latents are not in the cache.</summary>
    /// <param name="source">The clips.</param>
    /// <param name="cache">Their latents; disposed with the result.</param>
    /// <param name="vae">Loads the autoencoder of the cache; called only where something is to encode, and disposed here.</param>
    /// <param name="log">Told of clips that cannot be read, which are passed over, and of how far it is.</param>
    /// <param name="cancellationToken">Stops between batches; what is encoded by then is kept.</param>
    /// <exception cref="SoraException">No clip can be read, or the latents not be written.</exception>
    public static EncodedClips Open(IClipSource source, LatentCache cache, Func<VideoAutoencoder> vae, Action<string> log, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(cache);
        ArgumentNullException.ThrowIfNull(vae);
        ArgumentNullException.ThrowIfNull(log);
        ClipInfo[] infos = [.. Enumerable.Range(0, source.Count).Select(source.Info)];
        // Equal clips, as of a file that is there twice, have one key.
        int[] missing = [.. Enumerable.Range(0, infos.Length).Where(i => !cache.Contains(infos[i].Key)).DistinctBy(i => infos[i].Key)];
        if (missing.Length > 0)
        {
            using VideoAutoencoder network = vae();
            Encode(source, infos, missing, cache, network, log, cancellationToken);
        }
        (int, string)[] clips = [.. infos.Select((info, i) => (i, info.Key)).Where(clip => cache.Contains(clip.Key))];
        return clips.Length > 0 ? new(source, cache, clips) : throw new SoraException($"No clip of {source.Description} can be read.");
    }

    /// <summary>What a clip is.</summary>
    public ClipInfo Info(int clip) => _source.Info(_clips[clip].Clip);

    /// <summary>A clip's captions.</summary>
    public ClipCaptions Captions(int clip) => _source.Captions(_clips[clip].Clip);

    /// <summary>A clip's latents [z, t, h, w], float32, normalised.</summary>
    public Tensor Read(int clip) => _cache.Read(_clips[clip].Key);

    /// <summary>A clip's latents and after them what is where in it: [z + map, t, h, w].</summary>
    /// <param name="clip">Which.</param>
    /// <param name="cell">The autoencoder's strides.</param>
    /// <exception cref="SoraException">The source does not know what is where.</exception>
    internal Tensor ReadMapped(int clip, ClipStrides cell)
    {
        float[] map = _source.DrawMap(_clips[clip].Clip, cell) ?? throw new SoraException($"semantic_map needs clips of which it is known what is where, and {_source.Description} does not say it; leave out semantic_map.");
        Tensor latents = Read(clip);
        return cat([latents, tensor(map, [SpriteWorld.SemanticMap.Channels, .. latents.shape[1..]])], 0);
    }

    /// <summary>A clip's patches.</summary>
    /// <param name="clip">Which.</param>
    /// <param name="patch">The patch (t, h, w), which divides the latents.</param>
    public PatchGrid GridOf(int clip, IReadOnlyList<int> patch)
    {
        IReadOnlyList<long> shape = _cache.ShapeOf(_clips[clip].Key);
        return new((int)shape[1] / patch[0], (int)shape[2] / patch[1], (int)shape[3] / patch[2]);
    }

    /// <summary>Closes the cache.</summary>
    public void Dispose() => _cache.Dispose();

    private static void Encode(
        IClipSource source, ClipInfo[] infos, int[] missing, LatentCache cache, VideoAutoencoder vae, Action<string> log, CancellationToken cancellationToken)
    {
        using IDisposable noGradients = no_grad();
        using var normalizer = new LatentNormalizer(vae.Config, CPU);
        List<int[]> batches = Batches(missing, infos);
        var sinceMessage = Stopwatch.StartNew();
        int done = 0;
        foreach ((ClipShape shape, List<(string Key, byte[] Rgb)> clips, List<string> unreadable) in Prefetch.Range(0, batches.Count, Draw))
        {
            if (cancellationToken.IsCancellationRequested)
                break;
            foreach (string reason in unreadable)
                log($"passed over: {reason}");
            if (clips.Count > 0)
                Encode(shape, clips, cache, vae, normalizer);
            done += clips.Count + unreadable.Count;
            if (sinceMessage.Elapsed > s_betweenMessages)
            {
                log(string.Create(CultureInfo.InvariantCulture, $"encoded {done} of {missing.Length} clips"));
                sinceMessage.Restart();
            }
        }
        cache.Flush();
        cancellationToken.ThrowIfCancellationRequested();

        (ClipShape, List<(string, byte[])>, List<string>) Draw(long number)
        {
            List<(string, byte[])> clips = [];
            List<string> unreadable = [];
            foreach (int clip in batches[(int)number])
            {
                if (cancellationToken.IsCancellationRequested)
                    break;
                try
                {
                    clips.Add((infos[clip].Key, source.Draw(clip, CancellationToken.None)));
                }
                catch (SoraException e)
                {
                    unreadable.Add(e.Message.Split('\n')[0]);
                }
            }
            return (infos[batches[(int)number][0]].Shape, clips, unreadable);
        }
    }

    private static void Encode(ClipShape shape, List<(string Key, byte[] Rgb)> clips, LatentCache cache, VideoAutoencoder vae, LatentNormalizer normalizer)
    {
        using DisposeScope scope = NewDisposeScope();
        var rgb = new byte[clips.Sum(clip => clip.Rgb.Length)];
        int at = 0;
        foreach ((_, byte[] clip) in clips)
        {
            clip.CopyTo(rgb, at);
            at += clip.Length;
        }
        Tensor x = new ClipBatch(rgb, new string[clips.Count], shape).ToTensor(CPU);      // B 3 T H W
        Tensor latents = normalizer.Normalize(vae.Encode(x).Mean);                        // B z t h w
        for (int i = 0; i < clips.Count; i++)
            cache.Add(clips[i].Key, latents.select(0, i));
    }

    // Clips of one shape together, as many as the limit of pixels allows.
    private static List<int[]> Batches(int[] clips, ClipInfo[] infos) =>
    [
        .. clips.GroupBy(clip => infos[clip].Shape)
            .OrderBy(group => group.Key.Pixels)
            .SelectMany(group => group.Chunk((int)Math.Max(1, BatchPixels / group.Key.Pixels))),
    ];
}
