namespace Sora.Patches;

/// <summary>
/// Where the clips of a packed sequence lie. Clips of any sizes follow each other in one sequence of N patches: linear
/// layers run over all of them at once, attention within each clip (patch n' pack, Dehghani et al. 2023).
/// </summary>
public sealed class PackedLayout
{
    private readonly PatchGrid[] _grids;
    private readonly int[] _offsets;

    /// <summary>Lays clips of the given grids one after the other.</summary>
    public PackedLayout(IEnumerable<PatchGrid> grids)
    {
        _grids = [.. grids];
        if (_grids.Length == 0)
            throw new ArgumentException("A packed sequence needs at least one clip.", nameof(grids));
        _offsets = new int[_grids.Length];
        for (int i = 1; i < _grids.Length; i++)
            _offsets[i] = _offsets[i - 1] + _grids[i - 1].Count;
        Count = _offsets[^1] + _grids[^1].Count;
        IsUniform = _grids.All(g => g.Count == _grids[0].Count);
    }

    /// <summary>The number of clips.</summary>
    public int Clips => _grids.Length;

    /// <summary>The number of patches N of the whole sequence.</summary>
    public int Count { get; }

    /// <summary>Whether all clips have the same number of patches, so that attention can run over them as one batch.</summary>
    public bool IsUniform { get; }

    /// <summary>The grid of a clip.</summary>
    public PatchGrid Grid(int clip) => _grids[clip];

    /// <summary>The first patch of a clip.</summary>
    public int Offset(int clip) => _offsets[clip];
}
