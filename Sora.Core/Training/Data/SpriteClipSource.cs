using System.Security.Cryptography;
using System.Text;
using Sora.Training.SpriteWorld;

namespace Sora.Training.Data;

/// <summary>
/// The drawn world at native sizes: clips and single pictures of all allowed shapes, never of a held-out combination. Motions
/// of clips above two seconds are slower, so that their subjects stay in the picture.
/// </summary>
public sealed class SpriteClipSource : IClipSource
{
    private readonly World _world;
    private readonly ClipShapes _shapes;
    private readonly ClipStrides _strides;
    private readonly int _fps;
    private readonly int _clips;
    private readonly ulong _seed;
    private readonly string _content;
    private readonly Dictionary<int, World> _worlds = [];

    /// <summary>Selects clips; nothing is drawn but a small picture of each subject, by which other sprites are noticed.</summary>
    /// <param name="world">The world.</param>
    /// <param name="shapes">The sizes and lengths.</param>
    /// <param name="strides">What the model allows.</param>
    /// <param name="framesPerSecond">Frames a second.</param>
    /// <param name="clips">The number of clips.</param>
    /// <param name="pictures">The number of single pictures, which follow them.</param>
    /// <param name="seed">The seed of what they show.</param>
    /// <exception cref="SoraException">No size or length fits the limits.</exception>
    public SpriteClipSource(World world, ClipShapes shapes, ClipStrides strides, int framesPerSecond, int clips, int pictures, ulong seed)
    {
        ArgumentNullException.ThrowIfNull(world);
        ArgumentNullException.ThrowIfNull(shapes);
        (_world, _shapes, _strides, _fps, _clips, _seed) = (world, shapes, strides, framesPerSecond, clips, seed);
        Count = clips + pictures;
        _content = ContentOf(world);
        (int least, int most) = shapes.Lengths(strides);
        for (int frames = least; frames <= most; frames += strides.Temporal)
            _worlds[frames] = new(world.Config with { Seconds = Math.Max(world.Config.Seconds, frames / (float)framesPerSecond) }, world.Atlas);
    }

    /// <inheritdoc/>
    public string Description => "the drawn world";

    /// <inheritdoc/>
    public int Count { get; }

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, long> Vocabulary => WorldVocabulary.Of(SpriteWorldConfig.Everything, detailed: true);

    /// <summary>What a clip shows.</summary>
    public ClipDescription Describe(int clip) => Describe(clip, ShapeOf(clip));

    /// <inheritdoc/>
    public ClipInfo Info(int clip)
    {
        ClipShape shape = ShapeOf(clip);
        return new(Hash($"{_content} {SeedOf(clip)} {shape} {_fps}"), shape, _fps, FormattableString.Invariant($"drawn clip {clip}"));
    }

    /// <inheritdoc/>
    public ClipCaptions Captions(int clip)
    {
        ClipDescription description = Describe(clip);
        return new(SpriteWorld.Captions.All(description), [DetailedCaption.Of(description)]);
    }

    /// <inheritdoc/>
    public byte[] Draw(int clip, CancellationToken cancellationToken)
    {
        ClipShape shape = ShapeOf(clip);
        var rgb = new byte[checked((int)(shape.Pixels * 3))];
        _world.Render(Describe(clip, shape), shape.Width, shape.Height, shape.Frames, _fps, rgb);
        return rgb;
    }

    /// <inheritdoc/>
    public float[] DrawMap(int clip, ClipStrides cell)
    {
        ClipShape shape = ShapeOf(clip);
        int frames = ((shape.Frames - 1) / cell.Temporal) + 1;
        var map = new float[SemanticMap.Channels * frames * (shape.Height / cell.Spatial) * (shape.Width / cell.Spatial)];
        SemanticMap.Draw(
            Describe(clip, shape), _world.Atlas, (shape.Width, shape.Height), (0, 0, shape.Width, shape.Height),
            SemanticMap.Times(frames, cell.Temporal, _fps), cell.Spatial, map);
        return map;
    }

    private ClipDescription Describe(int clip, ClipShape shape) =>
        _worlds.GetValueOrDefault(shape.Frames, _world).SampleTraining(SeedOf(clip));

    private ClipShape ShapeOf(int clip)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(clip);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(clip, Count);
        return _shapes.Draw(_strides, _seed, (ulong)clip, picture: clip >= _clips);
    }

    // SplitMix64's finaliser: neighbours get unrelated seeds.
    private ulong SeedOf(int clip)
    {
        ulong z = ((_seed << 32) + (ulong)clip + 0x9e3779b97f4a7c15) * 0xbf58476d1ce4e5b9;
        return z ^ (z >> 29);
    }

    // The catalogue's part and the look of every subject in it: other sprites, colours or scenes are other content.
    private static string ContentOf(World world)
    {
        const int side = 32;
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        SpriteWorldConfig config = world.Config;
        hash.AppendData(Encoding.UTF8.GetBytes(string.Join('|',
            [.. config.Subjects, .. config.Scenes, .. config.Motions, .. config.Colours, .. config.Sizes, .. config.TimesOfDay, .. config.CameraMoves, (object)config.Seconds, (object)config.CompanionShare])));
        var rgb = new byte[side * side * 3];
        for (int i = 0; i < config.Subjects.Count; i++)
        {
            world.Render(world.Sample((ulong)i, new ClipFilter { Subject = config.Subjects[i] }), side, side, 1, 8, rgb);
            hash.AppendData(rgb);
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)).AsSpan(0, 16));
}
