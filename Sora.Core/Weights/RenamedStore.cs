namespace Sora.Weights;

/// <summary>The tensors of a store under other names. It owns the store that it is made from.</summary>
internal sealed class RenamedStore : WeightStore
{
    private readonly WeightStore _inner;
    private readonly OrderedDictionary<string, string> _storedNames = [];
    private readonly List<string> _unrecognized = [];

    /// <param name="inner">The store; this disposes it.</param>
    /// <param name="diffusersNameOf">The new name of a stored one; null for a tensor that is none of this network's.</param>
    /// <exception cref="SoraException">Two stored tensors get one name.</exception>
    public RenamedStore(WeightStore inner, Func<string, string?> diffusersNameOf)
    {
        ArgumentNullException.ThrowIfNull(inner);
        ArgumentNullException.ThrowIfNull(diffusersNameOf);
        _inner = inner;
        try
        {
            foreach (string stored in inner.Names)
                Add(stored, diffusersNameOf(stored));
        }
        catch
        {
            inner.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public override string Location => _inner.Location;

    /// <inheritdoc/>
    public override IReadOnlyCollection<string> Names => _storedNames.Keys;

    /// <summary>The names in the files that are none of this network's.</summary>
    public IReadOnlyList<string> UnrecognizedNames => _unrecognized;

    /// <inheritdoc/>
    public override IReadOnlyList<string> UnusedNames
    {
        get
        {
            HashSet<string> unused = [.. _inner.UnusedNames];
            return [.. _storedNames.Where(name => unused.Contains(name.Value)).Select(name => name.Key)];
        }
    }

    /// <inheritdoc/>
    public override bool Contains(string name) => _storedNames.ContainsKey(name);

    /// <inheritdoc/>
    public override IReadOnlyList<long> ShapeOf(string name) => _inner.ShapeOf(StoredName(name));

    /// <inheritdoc/>
    public override string PathOf(string name) => _inner.PathOf(StoredName(name));

    /// <inheritdoc/>
    public override string StoredTypeOf(string name) => _inner.StoredTypeOf(StoredName(name));

    /// <inheritdoc/>
    public override Tensor Read(string name, ScalarType type, Device device) => _inner.Read(StoredName(name), type, device);

    /// <inheritdoc/>
    protected internal override void Fill(string name, Tensor target) => _inner.Fill(StoredName(name), target);

    /// <inheritdoc/>
    public override void Dispose() => _inner.Dispose();

    private void Add(string stored, string? name)
    {
        if (name is null)
            _unrecognized.Add(stored);
        else if (!_storedNames.TryAdd(name, stored))
            throw new SoraException($"{Location}: tensors '{_storedNames[name]}' and '{stored}' are both {name}.");
    }

    private string StoredName(string name) => _storedNames.TryGetValue(name, out string? stored) ? stored : throw Missing(name);
}
