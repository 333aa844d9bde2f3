using Sora.Frames;

namespace Sora.Regions;

/// <summary>
/// The difference between two pictures at a mask's edge, carried into the changed part: each changed pixel gets the mean of the
/// differences of kept pixels beside the edge, weighted by the inverse cube of their distance (Shepard 1968, "A two-dimensional
/// interpolation function for irregularly-spaced data"), so that it goes on smoothly from pixel to pixel across the edge and
/// smooths out away from it; and it fades linearly over the feather.
/// </summary>
internal sealed class EdgeDifference
{
    // Kept pixels so near to changed ones take part. One pixel's own detail would show, more would miss a slope.
    private const int Band = 2;

    private readonly int _width;
    private readonly (int Place, int Distance)[] _strip;
    private readonly int[][] _edge;
    private readonly int _feather;

    /// <summary>Finds a mask's edge.</summary>
    /// <param name="mask">The mask.</param>
    /// <param name="feather">Over how many pixels the difference fades.</param>
    public EdgeDifference(FrameMask mask, int feather)
    {
        (_width, _feather) = (mask.Width, feather);
        bool[] kept = [.. mask.Values.ToArray().Select(value => value == 0)];
        int[] toKept = MaskDistance.To(kept, _width), toChanged = MaskDistance.To([.. kept.Select(isKept => !isKept)], _width);
        _strip = [.. Enumerable.Range(0, kept.Length).Where(i => !kept[i] && toKept[i] < MaskDistance.Unit * (feather + 1)).Select(i => (i, toKept[i]))];
        _edge = [.. Enumerable.Range(0, mask.Height).Select(y => Enumerable.Range(0, _width)
            .Where(x => kept[(y * _width) + x] && toChanged[(y * _width) + x] <= MaskDistance.Unit * Band).ToArray())];
    }

    /// <summary>What is to be added to the second picture: three numbers a pixel, 0 where it stays as it is.</summary>
    public float[] Between(ReadOnlySpan<byte> before, ReadOnlySpan<byte> after)
    {
        var correction = new float[before.Length];
        foreach ((int place, int distance) in _strip)
        {
            int x = place % _width, y = place / _width;
            // Farther ones hardly count; the nearest one is well within.
            int reach = 2 + (2 * distance / MaskDistance.Unit);
            float red = 0, green = 0, blue = 0, weights = 0;
            for (int row = Math.Max(0, y - reach); row <= Math.Min(_edge.Length - 1, y + reach); row++)
            {
                int[] columns = _edge[row];
                int first = Array.BinarySearch(columns, x - reach);
                for (int k = first < 0 ? ~first : first; k < columns.Length && columns[k] <= x + reach; k++)
                {
                    int i = 3 * ((row * _width) + columns[k]), squared = ((columns[k] - x) * (columns[k] - x)) + ((row - y) * (row - y));
                    float weight = 1 / (squared * MathF.Sqrt(squared));
                    red += weight * (before[i] - after[i]);
                    green += weight * (before[i + 1] - after[i + 1]);
                    blue += weight * (before[i + 2] - after[i + 2]);
                    weights += weight;
                }
            }
            float share = (1 - ((distance - MaskDistance.Unit) / (float)(MaskDistance.Unit * _feather))) / weights;
            (correction[3 * place], correction[(3 * place) + 1], correction[(3 * place) + 2]) = (share * red, share * green, share * blue);
        }
        return correction;
    }
}
