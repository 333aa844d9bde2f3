using Sora.Layers;
using Sora.Training.SpriteWorld;
using Sora.Weights;

namespace Sora.Transformer;

/// <summary>
/// What a cell of the semantic map shows, by looking the subject's drawing up at points around the cell's own: to its right in the picture is what is to the
/// right of its point in the drawing, turned and mirrored as the drawing is. The numbers that a drawing has at each point are learned, a sum of waves
/// (<see cref="TextureEmbedding"/>), and so is what a cell's code is by the numbers around it. Neither knows of turns, so a subject that spins or lies on its
/// side looks as what was learned from upright ones says, where a table of each angle would have to learn every one.
/// </summary>
internal sealed class TextureSamples
{
    /// <summary>
    /// The points around a cell's own, to the right and down in the picture, in lengths of the drawing's longer side: itself and two rings of eight. A cell
    /// covers a fifth of a large subject and the half of a small one, and its code is of a few pixels beyond.
    /// </summary>
    internal static (float Right, float Down)[] Around { get; } =
        [(0, 0), .. ((float[])[0.1f, 0.22f]).SelectMany(radius => Enumerable.Range(0, 8).Select(i => (radius * MathF.Cos(i * MathF.PI / 4), radius * MathF.Sin(i * MathF.PI / 4))))];

    private readonly Linear _drawings;
    private readonly Linear _code;
    private readonly int _width;
    private readonly int _harmonics;

    /// <summary>Takes <c>drawings.weight</c> [products·K, S] (<see cref="TextureEmbedding.Products"/>) and <c>code.weight</c> [D, points·K].</summary>
    /// <param name="scope">Where they are.</param>
    /// <param name="width">K, the numbers that a drawing has at each point.</param>
    /// <param name="harmonics">The waves along a side, each a sine and a cosine.</param>
    /// <param name="outputs">D.</param>
    public TextureSamples(ParameterScope scope, int width, int harmonics, long outputs)
    {
        (_width, _harmonics) = (width, harmonics);
        long products = TextureEmbedding.Products(harmonics);
        // Products of waves have a mean square of 1 each, and so have the numbers.
        _drawings = new(scope["drawings"], SemanticMap.Codes.Length, products * width, bias: false, Initialization.Normal(1 / Math.Sqrt(products)));
        // Zero, so that a finished network to which it is added computes what it did.
        _code = new(scope["code"], Around.Length * width, outputs, bias: false, Initialization.Zero);
    }

    /// <summary>The products that one token takes.</summary>
    /// <param name="config">A config with harmonics.</param>
    internal static long Products(WanTransformerConfig config) =>
        config.MapSamples is not { } width ? 0 : width * ((TextureEmbedding.Products(config.MapHarmonics!.Value) * (SemanticMap.Codes.Length + Around.Length)) + (Around.Length * config.InnerDim));

    /// <summary>The numbers that are held for one token: its drawing, and the waves at its points twice, on their way through a product.</summary>
    /// <param name="config">A config with harmonics.</param>
    internal static long Numbers(WanTransformerConfig config) => config.MapSamples is not { } width ? 0 : TextureEmbedding.Products(config.MapHarmonics!.Value) * (width + (2 * Around.Length));

    /// <summary>What is added to the embedded patches [N, D], float32.</summary>
    /// <param name="reading">What is known by their map.</param>
    public Tensor Of(MapReading reading)
    {
        long count = reading.Points.size(0), products = TextureEmbedding.Products(_harmonics);
        Tensor drawings = _drawings.Forward(reading.Subjects).to(float32).view(count, products, _width);
        Tensor points = Points(reading);                                                                        // N P 2
        Tensor rows = points.view(-1, 2), spread = reading.Spread.expand(-1, Around.Length).reshape(-1, 1);     // N·P
        Tensor at = TextureEmbedding.Outer(TextureEmbedding.Waves(rows.narrow(1, 0, 1), spread, _harmonics), TextureEmbedding.Waves(rows.narrow(1, 1, 1), spread, _harmonics));
        Tensor numbers = at.view(count, Around.Length, products).matmul(drawings);                         // N P K
        return _code.Forward(numbers.flatten(1)).to(float32);
    }

    /// <summary>The points of the drawing that are <see cref="Around"/> each cell's own, [N, points, 2]: nearer to it where the turn is not known.</summary>
    /// <param name="reading">What is known by the map.</param>
    internal static Tensor Points(MapReading reading)
    {
        Tensor cos = reading.Turn.narrow(1, 0, 1), sin = reading.Turn.narrow(1, 1, 1), facing = -reading.Mirrored;  // N 1
        Tensor right = tensor(Array.ConvertAll(Around, point => point.Right), [1, Around.Length]).to(cos.device), down = tensor(Array.ConvertAll(Around, point => point.Down), [1, Around.Length]).to(cos.device);
        // As SemanticMap.Draw has them.
        Tensor across = facing * ((cos * right) + (sin * down)), below = (cos * down) - (sin * right);              // N P
        return reading.Points.unsqueeze(1) + stack([across, below], 2);
    }
}
