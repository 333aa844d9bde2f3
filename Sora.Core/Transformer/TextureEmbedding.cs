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
/// integrated positional encoding of Barron et al. 2021, arXiv 2103.13415).
/// </summary>
internal sealed class TextureEmbedding
{
    // What a map that a network drew is off by, beside its noise.
    private const float Tolerance = 0.5f;

    // A subject that is less likely is none of those that a cell may show. Its features would be numbers so small that processors
    // take a hundred times as long for each (subnormal): products with them took a third of a training's time.
    private const float LeastLikely = 1e-8f;

    // The deviation of points before the map is read: they fill a drawing of length 1 evenly.
    private const float PointSpread = 0.29f;

    // The length of the longest wave: a drawing's opposite ends are not alike.
    private const float LongestWave = 1.2f;

    // Of hundreds of features of which one subject's count, each is rare in a batch: they move this much faster than other weights.
    private const float Scale = 4;

    /// <summary>Tokens whose features are made at once: each takes ten times the numbers of its embedding.</summary>
    internal const long MostRows = 1024;

    private readonly Linear _table;
    private readonly int _harmonics;
    private readonly double _gain;

    /// <summary>Takes <c>weight</c> [D, subjects·(2·harmonics + 1)²].</summary>
    /// <param name="scope">Where the weight is.</param>
    /// <param name="config">A config with harmonics.</param>
    public TextureEmbedding(ParameterScope scope, WanTransformerConfig config)
    {
        _harmonics = config.MapHarmonics!.Value;
        _gain = config.MapGain;
        // Zero, so that a finished network to which it is added computes what it did.
        _table = new(scope, Count(_harmonics), config.InnerDim, bias: false, Initialization.Zero);
    }

    /// <summary>The number of features: for each subject the products of the waves along both sides.</summary>
    /// <param name="harmonics">The number of waves along a side, each a sine and a cosine.</param>
    public static long Count(int harmonics) => SemanticMap.Codes.Length * ((2 * harmonics) + 1L) * ((2 * harmonics) + 1);

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
        var parts = new List<Tensor>();
        for (long row = 0; row < map.size(0); row += MostRows)
        {
            using DisposeScope scope = NewDisposeScope();
            long count = Math.Min(MostRows, map.size(0) - row);
            Tensor features = Features(map.narrow(0, row, count), levels.narrow(0, row, count), _harmonics);
            parts.Add(scope.MoveToOuter(_table.Forward(features.mul_(Scale)).to(float32)));
        }
        return x + cat([.. parts], 0);
    }

    /// <summary>The features [N, <see cref="Count"/>] of a noisy map.</summary>
    /// <param name="map">[N, <see cref="SemanticMap.Channels"/>], float32: (1 − level)·map + level·noise.</param>
    /// <param name="levels">[N, 1], 0 to 1.</param>
    /// <param name="harmonics">The number of waves along a side.</param>
    internal static Tensor Features(Tensor map, Tensor levels, int harmonics)
    {
        Tensor kept = 1 - levels;                                                                  // N 1
        Tensor subjects = Subjects(map.narrow(1, 0, SemanticMap.CodeLength), kept, levels.square());
        // The mean and variance of a point, of which (1 − level)·deviation·point + level·noise is known.
        Tensor slope = kept * SemanticMap.PointScale;
        Tensor evidence = (slope * PointSpread).square() + levels.square() + 1e-6f;
        Tensor points = map.narrow(1, SemanticMap.CodeLength, 2) * slope * (PointSpread * PointSpread) / evidence; // N 2
        Tensor variance = levels.square() * (PointSpread * PointSpread) / evidence;                // N 1
        Tensor across = Waves(points.narrow(1, 0, 1), variance, harmonics), down = Waves(points.narrow(1, 1, 1), variance, harmonics); // N W
        Tensor texture = (across.unsqueeze(2) * down.unsqueeze(1)).flatten(1);                     // N W·W
        return (subjects.unsqueeze(2) * texture.unsqueeze(1)).flatten(1);                          // N S·W·W
    }

    // How likely each subject is, [N, S]; what is missing to 1 is that there is none. Signs and noise are independent, so
    // ln p = (1 − level)·deviation·(x·code − (1 − level)·deviation·length/2) / variance, and 0 of no subject.
    private static Tensor Subjects(Tensor signs, Tensor kept, Tensor noise)
    {
        Tensor codes = tensor([.. SemanticMap.Codes.SelectMany(code => code)], [SemanticMap.Codes.Length, SemanticMap.CodeLength]).to(signs.device);
        Tensor size = kept * SemanticMap.Deviation;                                                // N 1
        Tensor likelihood = size * (signs.matmul(codes.transpose(0, 1)) - (size * (SemanticMap.CodeLength / 2f))) / (noise + (Tolerance * Tolerance));
        Tensor likely = cat([likelihood, zeros_like(size)], 1).softmax(1).narrow(1, 0, SemanticMap.Codes.Length);
        return likely * likely.ge(LeastLikely).to(float32);
    }

    // 1 and the waves at points of a mean and a variance, each of a mean square near 1: [N, 2·harmonics + 1].
    private static Tensor Waves(Tensor points, Tensor variance, int harmonics)
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
