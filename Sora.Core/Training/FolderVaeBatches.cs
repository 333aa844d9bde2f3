using System.Collections.Concurrent;
using Sora.Latents;
using Sora.Training.Data;

namespace Sora.Training;

/// <summary>
/// The videos and images of a folder, a clip a batch; a tenth of them, at most 24, are kept apart. What fits in some memory is decoded
/// once: starting ffmpeg takes longer than a short clip.
/// </summary>
internal sealed class FolderVaeBatches : IVaeBatches
{
    private const int MostUnseen = 24, MostSampled = 160;
    private const long MostKept = 512L << 20; // bytes of decoded clips

    private readonly IClipSource _clips;
    private readonly ulong _seed;
    private readonly long _memory;
    private readonly int[] _trained;
    private readonly int[] _measured;
    private readonly ConcurrentDictionary<int, byte[]> _decoded = new();
    private long _kept;

    /// <param name="clips">The folder.</param>
    /// <param name="pixels">The most pixels of a batch.</param>
    /// <param name="seed">The seed of the order.</param>
    /// <param name="memory">The most bytes of decoded clips that are kept.</param>
    /// <exception cref="SoraException">A clip is larger than a batch.</exception>
    public FolderVaeBatches(IClipSource clips, long pixels, ulong seed, long memory = MostKept)
    {
        (_clips, _seed, _memory) = (clips, seed, memory);
        ClipInfo largest = Enumerable.Range(0, clips.Count).Select(clips.Info).MaxBy(clip => clip.Shape.Pixels)!;
        if (largest.Shape.Pixels > pixels)
            throw new SoraException($"pixels_per_step {pixels} is less than the {largest.Shape.Pixels} pixels of {largest.Name} ({largest.Shape}); nearest: {largest.Shape.Pixels}, or less by shapes.");
        int kept = Math.Min(MostUnseen, clips.Count / 10);
        // Spread evenly, since the clips of one file follow one another.
        ILookup<bool, int> parts = Enumerable.Range(0, clips.Count).ToLookup(i => (i + 1L) * kept / clips.Count > (long)i * kept / clips.Count);
        // Of fewer than ten clips none are kept apart.
        (_trained, HasUnseen) = ([.. parts[false]], kept > 0);
        _measured = HasUnseen ? [.. parts[true]] : [.. _trained.Take(MostUnseen)];
    }

    /// <inheritdoc/>
    public bool HasUnseen { get; }

    /// <inheritdoc/>
    public int Measured => _measured.Length;

    /// <inheritdoc/>
    public int Sampled => Math.Min(MostSampled, _clips.Count);

    /// <summary>Opens a folder.</summary>
    public static FolderVaeBatches Open(VaeTrainingConfig config, string folder, Action<string> log, CancellationToken cancellationToken) =>
        new(
            VideoFolder.Open(
                // Latents that are halved have even sides.
                new(folder, new(config.Vae.SpatialStride * (config.EquivarianceShare > 0 ? 2 : 1), config.Vae.TemporalStride))
                {
                    Shapes = config.Shapes ?? new() { MostFrames = 17 },
                    FrameRate = config.FramesPerSecond,
                    CutThreshold = config.Data.CutThreshold,
                    NeedsCaptions = false,
                    ScanFile = Path.Combine(config.RunFolder, "scans.json"),
                },
                log, cancellationToken),
            config.PixelsPerStep, config.Seed);

    /// <inheritdoc/>
    // Every clip once in each round, in an order of the round's own.
    public ClipBatch Draw(long number)
    {
        (long round, long place) = Math.DivRem(number, _trained.Length);
        var random = new GaussianNoise(_seed, $"vae round {round}");
        return Clip(Enumerable.Range(0, _trained.Length).OrderBy(clip => random.Uniform((ulong)clip)).Select(clip => _trained[clip]).ElementAt((int)place));
    }

    /// <inheritdoc/>
    public ClipBatch DrawMeasured(int number) => Clip(_measured[number]);

    /// <inheritdoc/>
    public ClipBatch DrawSampled(int number) => Clip((int)((long)number * _clips.Count / Sampled));

    private ClipBatch Clip(int clip) => new(Decoded(clip), [""], _clips.Info(clip).Shape);

    private byte[] Decoded(int clip)
    {
        if (_decoded.TryGetValue(clip, out byte[]? rgb))
            return rgb;
        rgb = _clips.Draw(clip, CancellationToken.None);
        // Two threads may decode the same one.
        if (Interlocked.Add(ref _kept, rgb.Length) > _memory || !_decoded.TryAdd(clip, rgb))
            Interlocked.Add(ref _kept, -rgb.Length);
        return rgb;
    }
}
