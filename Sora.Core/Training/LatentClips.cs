using System.Security.Cryptography;
using System.Text;
using Sora.Latents;
using Sora.Patches;
using Sora.Training.SpriteWorld;
using Sora.VideoVae;
using Sora.Weights;

namespace Sora.Training;

/// <summary>The latents of many clips, encoded once and kept in memory and on disk.</summary>
public sealed class LatentClips : IDisposable
{
    private const int EncodedAtOnce = 16;
    private const string DrawnKey = "drawn"; // a digest of what the clips show, in the file's metadata
    private readonly World _world;
    private readonly ClipDescription[] _descriptions;
    private readonly Selection _selection;
    private readonly int _temporalStride;

    private LatentClips(World world, ClipDescription[] descriptions, Tensor latents, Selection selection, int temporalStride) =>
        (_world, _descriptions, Latents, _selection, _temporalStride) = (world, descriptions, latents, selection, temporalStride);

    /// <summary>What is encoded.</summary>
    /// <param name="Shape">The size of every clip.</param>
    /// <param name="FramesPerSecond">Frames a second.</param>
    /// <param name="Count">How many.</param>
    /// <param name="Seed">The seed of what they show.</param>
    /// <param name="CloseUp">
    /// The side in pixels of a window around the subject, which is encoded in place of a whole picture of <paramref
    /// name="Shape"/>; null: whole clips.
    /// </param>
    public readonly record struct Selection(ClipShape Shape, int FramesPerSecond, int Count, ulong Seed, int? CloseUp = null)
    {
        /// <summary>What is drawn more often than by chance; null: nothing.</summary>
        internal Emphasis? Emphasis { get; init; }

        /// <summary>Whether a <see cref="SemanticMap"/> follows the autoencoder's channels.</summary>
        internal bool Map { get; init; }

        /// <summary>Tells one autoencoder from another; null: they are not told apart.</summary>
        internal string? Autoencoder { get; init; }

        /// <summary>The size of what is encoded.</summary>
        internal ClipShape Encoded => CloseUp is { } side ? new(side, side, 1) : Shape;
    }

    /// <summary>The normalised latents [clips, z, t, h, w], float32, and after them the channels of the map where there is one.</summary>
    public Tensor Latents { get; }

    /// <summary>The number of clips.</summary>
    public int Count => _descriptions.Length;

    /// <summary>Reads the clips' latents from a file that an earlier call wrote, or encodes and writes them.</summary>
    public static LatentClips Open(string path, World world, VideoAutoencoder vae, Selection clips, Action<string> log, CancellationToken cancellationToken)
    {
        ClipShape shape = clips.Encoded;
        var descriptions = new ClipDescription[clips.Count];
        for (int i = 0; i < descriptions.Length; i++)
        {
            ulong seed = SeedOf(clips.Seed, i);
            descriptions[i] = clips.Emphasis?.SampleTraining(world, seed) ?? world.SampleTraining(seed);
        }
        long[] size =
        [
            clips.Count, vae.Config.ZDim, ((shape.Frames - 1) / vae.Config.TemporalStride) + 1,
            shape.Height / vae.Config.SpatialStride, shape.Width / vae.Config.SpatialStride,
        ];
        Tensor latents = empty(size).DetachFromDisposeScope();
        if (File.Exists(path))
        {
            IReadOnlyDictionary<string, string> metadata = TrainingState.Load(path, [("latents", latents)]);
            if (metadata.TryGetValue(DrawnKey, out string? drawn) && drawn != DigestOf(descriptions, clips))
                throw new SoraException($"{path} holds the latents of other clips: of another seed, world, emphasis, frame rate or autoencoder. Delete it, or name another run_folder.");
            return Of(world, descriptions, latents, clips, vae.Config);
        }
        Encode(latents, descriptions, world, vae, clips, log, cancellationToken);
        TrainingState.Save(path, [("latents", latents)], new Dictionary<string, string> { [DrawnKey] = DigestOf(descriptions, clips) });
        return Of(world, descriptions, latents, clips, vae.Config);
    }

    private static LatentClips Of(World world, ClipDescription[] descriptions, Tensor latents, Selection clips, AutoencoderKLWanConfig vae)
    {
        if (!clips.Map)
            return new(world, descriptions, latents, clips, vae.TemporalStride);
        using Tensor own = latents;
        using DisposeScope scope = NewDisposeScope();
        Tensor all = cat([own, Maps(world, descriptions, latents.shape, clips, vae)], 1);
        return new(world, descriptions, all.DetachFromDisposeScope(), clips, vae.TemporalStride);
    }

    // [clips, channels, t, h, w]
    private static Tensor Maps(World world, ClipDescription[] descriptions, long[] latents, Selection clips, AutoencoderKLWanConfig vae)
    {
        (int frames, ClipShape shape, ClipShape encoded) = ((int)latents[2], clips.Shape, clips.Encoded);
        int numbers = checked((int)(SemanticMap.Channels * latents[2] * latents[3] * latents[4]));
        var maps = new float[(long)descriptions.Length * numbers];
        Parallel.For(0, descriptions.Length, i =>
        {
            (float Seconds, int Left, int Top) at = clips.CloseUp is { } side
                ? CloseUp.Place(world, descriptions[i], shape.Width, shape.Height, side, SeedOf(clips.Seed, i))
                : default;
            SemanticMap.Draw(
                descriptions[i], world.Atlas, (shape.Width, shape.Height), (at.Left, at.Top, encoded.Width, encoded.Height),
                SemanticMap.Times(frames, vae.TemporalStride, clips.FramesPerSecond, at.Seconds), vae.SpatialStride,
                maps.AsSpan(i * numbers, numbers));
        });
        return tensor(maps, [descriptions.Length, SemanticMap.Channels, .. latents[2..]]);
    }

    /// <summary>One of the captions of a clip.</summary>
    public string Caption(int clip, ulong draw) => Captions.One(_descriptions[clip], SeedOf(_selection.Seed + draw, clip));

    /// <summary>What a clip shows.</summary>
    public ClipDescription Description(int clip) => _descriptions[clip];

    /// <summary>Marks the patches of a clip that show its subject with 1.</summary>
    internal void MarkSubject(int clip, PatchGrid grid, int patch, Span<float> marks) =>
        SubjectTokens.Mark(_descriptions[clip], _selection.Shape, _selection.FramesPerSecond, grid, _temporalStride, patch, marks);

    /// <summary>Where a clip's subject is, as fractions of the frame's width and height.</summary>
    /// <param name="clip">The clip.</param>
    /// <param name="moment">When: 0 at the first frame, 1 at the last.</param>
    internal (float X, float Y) SubjectAt(int clip, double moment)
    {
        MotionPath at = MotionPath.At(_descriptions[clip], (float)(moment * (_selection.Shape.Frames - 1) / _selection.FramesPerSecond));
        return (at.X, at.Y);
    }

    /// <summary>The world that the clips are from.</summary>
    public World World => _world;

    /// <summary>Frees the latents.</summary>
    public void Dispose() => Latents.Dispose();

    private static void Encode(Tensor latents, ClipDescription[] descriptions, World world, VideoAutoencoder vae, Selection clips, Action<string> log, CancellationToken cancellationToken)
    {
        using IDisposable noGrad = no_grad();
        using var normalizer = new LatentNormalizer(vae.Config, CPU);
        ClipShape shape = clips.Encoded;
        int bytes = checked((int)(shape.Pixels * 3));
        long batches = (descriptions.Length + EncodedAtOnce - 1) / EncodedAtOnce;
        foreach ((long number, byte[] rgb, int count) in Prefetch.Range(0, batches, Draw))
        {
            cancellationToken.ThrowIfCancellationRequested();
            using DisposeScope scope = NewDisposeScope();
            Tensor x = new ClipBatch(rgb, new string[count], shape).ToTensor(CPU);
            using var cache = new CausalCache();
            Tensor mean = LatentMoments.Split(vae.EncodeChunk(x, cache)).Mean;
            latents.narrow(0, number * EncodedAtOnce, count).copy_(normalizer.Normalize(mean));
            if (number % 100 == 0)
                log($"encoded {number * EncodedAtOnce} of {descriptions.Length} clips of {shape.Frames} frames");
        }

        (long Number, byte[] Rgb, int Count) Draw(long number)
        {
            int first = (int)number * EncodedAtOnce, count = Math.Min(EncodedAtOnce, descriptions.Length - first);
            var rgb = new byte[bytes * count];
            for (int i = 0; i < count; i++)
            {
                Span<byte> target = rgb.AsSpan(i * bytes, bytes);
                if (clips.CloseUp is { } side)
                    CloseUp.Render(world, descriptions[first + i], clips.Shape.Width, clips.Shape.Height, side, SeedOf(clips.Seed, first + i), target);
                else
                    world.Render(descriptions[first + i], shape.Width, shape.Height, shape.Frames, clips.FramesPerSecond, target);
            }
            return (number, rgb, count);
        }
    }

    private static string DigestOf(ClipDescription[] descriptions, Selection clips)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes(FormattableString.Invariant($"{clips.Shape} {clips.FramesPerSecond} {clips.CloseUp} {clips.Seed} {clips.Autoencoder}")));
        // The scene's seed is as good as the rest of the draw.
        foreach (ClipDescription clip in descriptions)
            hash.AppendData(Encoding.UTF8.GetBytes(FormattableString.Invariant($"\n{clip.Subject} {clip.Scene} {clip.Motion} {clip.Colour} {clip.SceneSeed} {clip.FacesRight}{(clip.Tilt == 0 ? "" : $" {clip.Tilt}")}")));
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static ulong SeedOf(ulong seed, int clip)
    {
        ulong z = ((seed << 32) + (ulong)clip + 0x9e3779b97f4a7c15) * 0xbf58476d1ce4e5b9;
        return z ^ (z >> 29);
    }
}
