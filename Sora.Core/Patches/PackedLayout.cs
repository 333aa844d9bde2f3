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
        var runs = new List<PackedRun>();
        for (int first = 0, end; first < _grids.Length; first = end)
        {
            for (end = first + 1; end < _grids.Length && _grids[end].Count == _grids[first].Count; end++)
            {
            }
            runs.Add(new(first, end - first, _offsets[first], (end - first) * _grids[first].Count));
        }
        Runs = runs;
    }

    /// <summary>The number of clips.</summary>
    public int Clips => _grids.Length;

    /// <summary>The number of patches N of the whole sequence.</summary>
    public int Count { get; }

    /// <summary>Whether all clips have the same number of patches, so that attention can run over them as one batch.</summary>
    public bool IsUniform { get; }

    /// <summary>Neighbouring clips with the same number of patches, over each of which attention can run as one batch.</summary>
    public IReadOnlyList<PackedRun> Runs { get; }

    /// <summary>The grid of a clip.</summary>
    public PatchGrid Grid(int clip) => _grids[clip];

    /// <summary>The first patch of a clip.</summary>
    public int Offset(int clip) => _offsets[clip];
}

/// <summary>Clips of a packed sequence that follow each other and have the same number of patches.</summary>
/// <param name="FirstClip">The first of them.</param>
/// <param name="Clips">How many.</param>
/// <param name="Offset">The first patch.</param>
/// <param name="Count">Their patches together.</param>
public readonly record struct PackedRun(int FirstClip, int Clips, int Offset, int Count);
