using Sora.Patches;

namespace Sora.Transformer;

/// <summary>The layout of a packed sequence with what depends on it alone: rotary positions, computed once a video.</summary>
public sealed class PackedSequence : IDisposable
{
    private readonly Device _device;
    private int[]? _rows;
    private Tensor? _rowIndex;

    /// <summary>Lays out clips of the given grids.</summary>
    /// <param name="grids">The clips.</param>
    /// <param name="headDim">The channels of one attention head.</param>
    /// <param name="device">Where the network is.</param>
    public PackedSequence(IEnumerable<PatchGrid> grids, int headDim, Device device)
    {
        _device = device;
        Layout = new(grids);
        Positions = RotaryPositions.Create(Layout, headDim, device);
    }

    /// <summary>Where the clips lie.</summary>
    public PackedLayout Layout { get; }

    /// <summary>The rotary positions of every token.</summary>
    public RotaryPositions Positions { get; }

    /// <summary>The modulation rows of the tokens' times.</summary>
    /// <exception cref="ArgumentException">The number of times is not the number of tokens.</exception>
    public Modulation Modulation(TokenTimes times)
    {
        if (times.Rows.Length != Layout.Count)
            throw new ArgumentException($"{times.Rows.Length} times were given for {Layout.Count} tokens.", nameof(times));
        // A backward pass may come after the sequence is disposed.
        if (is_grad_enabled())
            return new(times, RowsOf(times));
        // From step to step the times change, and not which token reads which of them.
        if (_rowIndex is null || !times.Rows.AsSpan().SequenceEqual(_rows))
        {
            _rowIndex?.Dispose();
            _rowIndex = RowsOf(times).DetachFromDisposeScope();
            _rows = times.Rows;
        }
        return new(times, _rowIndex);
    }

    private Tensor RowsOf(TokenTimes times) => tensor(Array.ConvertAll(times.Rows, r => (long)r), device: _device);

    /// <summary>Frees the positions.</summary>
    public void Dispose()
    {
        Positions.Dispose();
        _rowIndex?.Dispose();
        _rowIndex = null;
    }
}
