using Sora.Layers;
using Sora.Sampling;
using Sora.Training.SpriteWorld;
using Sora.Weights;

namespace Sora.Transformer;

/// <summary>
/// Tells the transformer what a cell of the semantic map looks like. A subject's looks are a function of the point of its drawing, and
/// what a network makes of two numbers is smooth long after it should not be (Tancik et al. 2020, arXiv 2006.10739); so the point is given as
/// waves along both sides, for each subject apart, and one linear layer is a table of the subjects' textures. The map is noisy, so what is given is the
/// mean over what it may stand for: over the subjects that its signs may name, and over the points, by which short waves fade first (the
/// integrated positional encoding of Barron et al. 2021, arXiv 2103.13415). With <see cref="WanTransformerConfig.MapTurns"/> there is more than one
/// table: what a mirrored or turned drawing shows at a point is added to what the drawing shows, by the sign, and by the first two harmonics of the turn.
/// </summary>
internal sealed class TextureEmbedding
{
    // What a map that a network drew is off by, beside its noise.
    private const float Tolerance = 0.5f;

    // A subject that is less likely is none of those that a cell may show. Its features would be numbers so small that processors
    // take a hundred times as long for each (subnormal): products with them took a third of a training's time.
    private const float LeastLikely = 1e-6f;

    // The deviation of points before the map is read: they fill a drawing of length 1 evenly.
    private const float PointSpread = 0.29f;

    // The length of the longest wave: a drawing's opposite ends are not alike.
    private const float LongestWave = 1.2f;

    // Of hundreds of features of which one subject's count, each is rare in a batch: they move this much faster than other weights.
    private const float Scale = 4;

    // Turned drawings are told by their longest waves alone: with all of them the tables would be as large as the rest of a small network.
    private const int TurnedHarmonics = 2;

    // The cosine and sine of a turn, and of twice it.
    private const int TurnFeatures = 4;

    /// <summary>Tokens whose features are made at once: each takes thirty times the numbers of its embedding.</summary>
    internal const long MostRows = 512;

    private readonly Linear _table;
    private readonly int _harmonics;
    private readonly bool _turns;
    private readonly double _gain;
    private readonly TextureSamples? _samples;

    /// <summary>Takes <c>weight</c> [D, <see cref="Count"/>], and under <c>samples</c> what <see cref="TextureSamples"/> takes.</summary>
    /// <param name="scope">Where the weight is.</param>
    /// <param name="config">A config with harmonics.</param>
    public TextureEmbedding(ParameterScope scope, WanTransformerConfig config)
    {
        (_harmonics, _turns) = (config.MapHarmonics!.Value, config.MapTurns);
        _gain = config.MapGain;
        // Zero, so that a finished network to which it is added computes what it did.
        _table = new(scope, Count(config), config.InnerDim, bias: false, Initialization.Zero);
        if (config.MapSamples is { } width)
            _samples = new(scope["samples"], width, _harmonics, config.InnerDim);
    }

    /// <summary>
    /// The number of features: for each subject the products of the waves along both sides; with turns these once more by the sign of a mirrored
    /// drawing, and those of the two longest waves by each number of the turn.
    /// </summary>
    /// <param name="config">A config with harmonics.</param>
    public static long Count(WanTransformerConfig config)
    {
        int harmonics = config.MapHarmonics!.Value;
        return SemanticMap.Codes.Length * (config.MapTurns ? (2 * Products(harmonics)) + (TurnFeatures * Products(Math.Min(harmonics, TurnedHarmonics))) : Products(harmonics));
    }

    /// <summary>The number of products of the waves along both sides, 1 among the waves of either.</summary>
    /// <param name="harmonics">The waves along a side, each a sine and a cosine.</param>
    internal static long Products(int harmonics) => ((2L * harmonics) + 1) * ((2 * harmonics) + 1);

    /// <summary>Adds to the embedded patches what their map says.</summary>
    /// <param name="x">[N, D], float32.</param>
    /// <param name="patches">The network's input [N, C], whose last channels are the map.</param>
    /// <param name="times">The noise level of the channels before the map, 0 to 1000.</param>
    public Tensor AddTo(Tensor x, Tensor patches, TokenTimes times)
    {
        Tensor map = patches.narrow(1, patches.size(1) - SemanticMap.Channels, SemanticMap.Channels).to(float32);
        var lead = new ChannelLead(SemanticMap.Channels, _gain);
        float[] rows = Array.ConvertAll(times.Times, time => lead.LevelAt(time / 1000));
        Tensor levels = tensor(Array.ConvertAll(times.Rows, row => rows[row]), [times.Rows.Length, 1]).to(map.device);
        long[] telling = Telling(map, levels);
        Tensor index = tensor(telling, [telling.Length]).to(map.device);
        (Tensor told, Tensor at) = (map.index_select(0, index), levels.index_select(0, index));
        var parts = new List<Tensor>();
        for (long row = 0; row < telling.Length; row += MostRows)
        {
            using DisposeScope scope = NewDisposeScope();
            long count = Math.Min(MostRows, telling.Length - row);
            MapReading reading = Read(told.narrow(0, row, count), at.narrow(0, row, count));
            Tensor looks = _table.Forward(Features(reading, _harmonics, _turns).mul_(Scale)).to(float32);
            parts.Add(scope.MoveToOuter(_samples is null ? looks : looks + _samples.Of(reading)));
        }
        parts.Add(zeros([1, x.size(1)], device: x.device));
        return x + cat([.. parts], 0).index_select(0, Places(telling, map.size(0)).to(x.device));
    }

    // The tokens that may show a subject, and one at least, so that every step of a training has a gradient. Those of the others are 0: most of a
    // clip's, once the map is told.
    private static long[] Telling(Tensor map, Tensor levels)
    {
        using DisposeScope scope = NewDisposeScope();
        (Tensor size, Tensor variance) = Known(levels);
        float[] likely = Subjects(map.narrow(1, 0, SemanticMap.CodeLength), size, variance).sum([1]).to(CPU).data<float>().ToArray();
        long[] rows = [.. Enumerable.Range(0, likely.Length).Where(row => likely[row] > 0).Select(row => (long)row)];
        return rows.Length > 0 ? rows : [0];
    }

    // For each token its place among those that tell; for the others the one after them.
    private static Tensor Places(long[] telling, long count)
    {
        var places = new long[count];
        Array.Fill(places, telling.Length);
        for (int i = 0; i < telling.Length; i++)
            places[telling[i]] = i;
        return tensor(places, [count]);
    }

    /// <summary>The features [N, <see cref="Count"/>] of a noisy map.</summary>
    /// <param name="map">[N, <see cref="SemanticMap.Channels"/>], float32: (1 − level)·map + level·noise.</param>
    /// <param name="levels">[N, 1], 0 to 1.</param>
    /// <param name="harmonics">The number of waves along a side, each a sine and a cosine.</param>
    /// <param name="turns">Whether the features tell how the drawing is mirrored and turned.</param>
    internal static Tensor Features(Tensor map, Tensor levels, int harmonics, bool turns) => Features(Read(map, levels), harmonics, turns);

    private static Tensor Features(MapReading reading, int harmonics, bool turns)
    {
        Tensor subjects = reading.Subjects;
        Tensor across = Waves(reading.Points.narrow(1, 0, 1), reading.Spread, harmonics), down = Waves(reading.Points.narrow(1, 1, 1), reading.Spread, harmonics); // N W
        Tensor textures = Outer(subjects, Outer(across, down));                                    // N S·W·W
        if (!turns)
            return textures;
        long longest = Math.Min(across.size(1), (2 * TurnedHarmonics) + 1);
        Tensor coarse = Outer(subjects, Outer(across.narrow(1, 0, longest), down.narrow(1, 0, longest))); // N S·w·w
        return cat([textures, textures * reading.Mirrored, Outer(coarse, reading.Turn)], 1);
    }

    /// <summary>What is known by a noisy map.</summary>
    /// <param name="map">[N, <see cref="SemanticMap.Channels"/>], float32: (1 − level)·map + level·noise.</param>
    /// <param name="levels">[N, 1], 0 to 1.</param>
    internal static MapReading Read(Tensor map, Tensor levels)
    {
        (Tensor size, Tensor variance) = Known(levels);                                            // N 1
        Tensor subjects = Subjects(map.narrow(1, 0, SemanticMap.CodeLength), size, variance);
        // The mean and variance of a point, of which (1 − level)·deviation·point + level·noise is known.
        Tensor slope = size * (SemanticMap.PointScale / SemanticMap.Deviation);
        Tensor evidence = (slope * PointSpread).square() + levels.square() + 1e-6f;
        Tensor points = map.narrow(1, SemanticMap.CodeLength, 2) * slope * (PointSpread * PointSpread) / evidence; // N 2
        Tensor spread = levels.square() * (PointSpread * PointSpread) / evidence;                  // N 1
        // What is known of a sign beside noise is the tangent of its evidence.
        Tensor mirrored = (map.narrow(1, SemanticMap.CodeLength + 2, 1) * size / variance).tanh(); // N 1
        Tensor turn = Turn(map.narrow(1, SemanticMap.CodeLength + 3, 2), size, variance);          // N 4
        return new(subjects, points, spread, mirrored, turn);
    }

    // How large signs and turns are, and the variance beside them, [N, 1].
    private static (Tensor Size, Tensor Variance) Known(Tensor levels) =>
        ((1 - levels) * SemanticMap.Deviation, levels.square() + (Tolerance * Tolerance));

    /// <summary>The products of each number of a row with each of another's: [N, A] and [N, B] give [N, A·B].</summary>
    internal static Tensor Outer(Tensor rows, Tensor columns) => (rows.unsqueeze(2) * columns.unsqueeze(1)).flatten(1);

    // The mean cosine and sine of a turn and of twice it, of which size·(cosine, sine) is known beside noise: about those of a normal distribution
    // around the angle that is seen.
    private static Tensor Turn(Tensor seen, Tensor size, Tensor variance)
    {
        Tensor length = seen.square().sum([1], keepdim: true).sqrt() + 1e-6f;                        // N 1
        Tensor direction = seen / length, width = variance / ((size * length) + 1e-6f);
        Tensor cos = direction.narrow(1, 0, 1), sin = direction.narrow(1, 1, 1);
        Tensor once = (width * -0.5f).exp(), twice = (width * -2).exp();
        return cat([cos * Normal(once), sin * Normal(once), (cos.square() - sin.square()) * Normal(twice), cos * sin * 2 * Normal(twice)], 1);

        static Tensor Normal(Tensor share) => share * share.ge(LeastLikely).to(float32);
    }

    // How likely each subject is, [N, S]; what is missing to 1 is that there is none. Signs and noise are independent, so
    // ln p = (1 − level)·deviation·(x·code − (1 − level)·deviation·length/2) / variance, and 0 of no subject.
    private static Tensor Subjects(Tensor signs, Tensor size, Tensor variance)
    {
        Tensor codes = tensor([.. SemanticMap.Codes.SelectMany(code => code)], [SemanticMap.Codes.Length, SemanticMap.CodeLength]).to(signs.device);
        Tensor likelihood = size * (signs.matmul(codes.transpose(0, 1)) - (size * (SemanticMap.CodeLength / 2f))) / variance;
        Tensor likely = cat([likelihood, zeros_like(size)], 1).softmax(1).narrow(1, 0, SemanticMap.Codes.Length);
        return likely * likely.ge(LeastLikely).to(float32);
    }

    /// <summary>1 and the waves at points of a mean and a variance, each of a mean square near 1: [N, 2·harmonics + 1].</summary>
    internal static Tensor Waves(Tensor points, Tensor variance, int harmonics)
    {
        var waves = new List<Tensor> { zeros_like(points) + 1 };
        for (int k = 1; k <= harmonics; k++)
        {
            float frequency = 2 * MathF.PI * k / LongestWave;
            Tensor length = (variance * (-frequency * frequency / 2)).exp() * MathF.Sqrt(2);
            waves.Add((points * frequency).sin() * length);
            waves.Add((points * frequency).cos() * length);
        }
        return cat([.. waves], 1);
    }
}
