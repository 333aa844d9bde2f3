using Sora.Weights;

namespace Sora.VideoVae;

/// <summary>
/// How a picture of h × w latents is cut into overlapping tiles for the part of the autoencoder in which a point sees only
/// what is near: all levels of the decoder after its first, all levels of the encoder before its last. What stands between
/// them, the attention among all points of a frame included, takes little memory and works on the whole picture.
/// <para>
/// A tile sees zeros where its neighbour goes on, and is wrong as far from there as the convolutions reach. Tiles
/// overlap by twice that reach, and each gives the points up to the middle of an overlap: the result is that of the whole
/// picture within rounding, without a seam to blend.
/// </para>
/// </summary>
public sealed class SpatialTiles
{
    private SpatialTiles(IReadOnlyList<TileSpan> rows, IReadOnlyList<TileSpan> columns) => (Rows, Columns) = (rows, columns);

    /// <summary>The number of tiles.</summary>
    public int Count => Rows.Count * Columns.Count;

    /// <summary>Whether there is one tile, the whole picture.</summary>
    public bool IsWhole => Count == 1;

    /// <summary>The tiles' places from top to bottom, in latents.</summary>
    public IReadOnlyList<TileSpan> Rows { get; }

    /// <summary>The tiles' places from left to right, in latents.</summary>
    public IReadOnlyList<TileSpan> Columns { get; }

    /// <summary>
    /// The latents around a point that its value depends on in the tiled part: 6 for Wan 2.1 and 2.2. A residual block reaches
    /// two points, a resampling convolution one at the finer side of it (the encoder's, one-sided, two), at its level's scale.
    /// </summary>
    public static int Reach(AutoencoderKLWanConfig vae)
    {
        int levels = vae.DimMult.Count;
        double decoder = 0, encoder = 0;
        for (int level = 1; level < levels; level++)
        {
            double scale = 1.0 / (1 << level);
            decoder += ((2 * (vae.NumResBlocks + 1)) + (level < levels - 1 ? 0.5 : 0)) * scale;
            encoder += ((2 * vae.NumResBlocks) + 2) * scale;
        }
        double finest = 1.0 / (1 << (levels - 1));
        if (vae.LinearCodeChannels > 0)
            decoder += 2 * finest; // the convolutions that smooth it
        return (int)Math.Ceiling(Math.Max(decoder, encoder) + finest); // and the last or the first convolution
    }

    /// <summary>The smallest side of a tile in latents; half of it is of use.</summary>
    public static int LeastSide(AutoencoderKLWanConfig vae) => 4 * Reach(vae);

    /// <summary>One tile, the whole picture.</summary>
    public static SpatialTiles Whole(long h, long w) => new([new(0, h, 0, h)], [new(0, w, 0, w)]);

    /// <summary>The fewest tiles of at most a side.</summary>
    /// <param name="vae">The autoencoder.</param>
    /// <param name="h">The picture's height in latents.</param>
    /// <param name="w">The picture's width in latents.</param>
    /// <param name="side">The largest side of a tile in latents.</param>
    /// <exception cref="ArgumentOutOfRangeException">The side is below <see cref="LeastSide"/>.</exception>
    public static SpatialTiles Of(AutoencoderKLWanConfig vae, int h, int w, int side)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(side, LeastSide(vae));
        int reach = Reach(vae);
        return new(Cut(h, side, reach), Cut(w, side, reach));
    }

    /// <summary>A side that gives these tiles again.</summary>
    public int SideFor(AutoencoderKLWanConfig vae) =>
        (int)Math.Max(LeastSide(vae), Rows.Concat(Columns).Max(span => span.Length));

    internal static IReadOnlyList<TileSpan> Cut(int length, int side, int reach)
    {
        for (int count = 1; ; count++)
        {
            TileSpan[] spans = [.. Enumerable.Range(0, count).Select(i => Span(i * length / count, (i + 1) * length / count))];
            if (spans.All(span => span.Length <= side))
                return spans;
        }

        TileSpan Span(int first, int end)
        {
            int start = Math.Max(0, first - reach), stop = Math.Min(length, end + reach);
            return new(start, stop - start, first, end - first);
        }
    }
}
