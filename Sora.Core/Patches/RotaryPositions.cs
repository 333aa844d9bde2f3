namespace Sora.Patches;

/// <summary>
/// Rotary positions in three dimensions (Su et al. 2021; the split of Wan): of each head's d channels, h and w take
/// 2·⌊d/6⌋ each and time the rest, in the order time, height, width. Pair (2i, 2i+1) of an axis turns by
/// position · 10000^(−2i/axis). Computed in float64, held in float32.
/// </summary>
public sealed class RotaryPositions : IDisposable
{
    private const double Base = 10000;

    private RotaryPositions(Tensor cos, Tensor sin) => (Cos, Sin) = (cos, sin);

    /// <summary>The cosines [N, d/2].</summary>
    public Tensor Cos { get; }

    /// <summary>The sines [N, d/2].</summary>
    public Tensor Sin { get; }

    /// <summary>The angles of every patch of a packed sequence; each clip starts at position zero.</summary>
    /// <param name="layout">The clips.</param>
    /// <param name="headDim">The channels d of one head; even.</param>
    /// <param name="device">Where the tables are kept.</param>
    public static RotaryPositions Create(PackedLayout layout, int headDim, Device device)
    {
        int spatial = 2 * (headDim / 6);
        int temporal = headDim - (2 * spatial);
        int half = headDim / 2;
        var cos = new float[(long)layout.Count * half];
        var sin = new float[cos.Length];
        var known = new Dictionary<PatchGrid, int>();
        long row = 0;
        for (int clip = 0; clip < layout.Clips; clip++)
        {
            PatchGrid grid = layout.Grid(clip);
            if (!known.TryAdd(grid, (int)row))
            {
                // Clips of one size, as in most batches, have the same angles.
                int length = grid.Count * half;
                cos.AsSpan(known[grid], length).CopyTo(cos.AsSpan((int)row));
                sin.AsSpan(known[grid], length).CopyTo(sin.AsSpan((int)row));
                row += length;
                continue;
            }
            for (int t = 0; t < grid.T; t++)
            {
                for (int h = 0; h < grid.H; h++)
                {
                    for (int w = 0; w < grid.W; w++, row += half)
                    {
                        Fill(row, t, temporal);
                        Fill(row + (temporal / 2), h, spatial);
                        Fill(row + ((temporal + spatial) / 2), w, spatial);
                    }
                }
            }
        }
        return new(
            tensor(cos, [layout.Count, half], device: device).DetachFromDisposeScope(),
            tensor(sin, [layout.Count, half], device: device).DetachFromDisposeScope());

        void Fill(long start, int position, int axis)
        {
            for (int i = 0; i < axis / 2; i++)
            {
                double angle = position * Math.Pow(Base, -2.0 * i / axis);
                cos[start + i] = (float)Math.Cos(angle);
                sin[start + i] = (float)Math.Sin(angle);
            }
        }
    }

    /// <summary>The same tables for a second owner, who disposes them.</summary>
    internal RotaryPositions Share() => new(Cos.alias(), Sin.alias());

    /// <summary>Frees the tables.</summary>
    public void Dispose()
    {
        Cos.Dispose();
        Sin.Dispose();
    }
}
