namespace Sora.Weights;

/// <summary>
/// The tensors of a store under the names of diffusers where the original keeps several modules in one tensor, or has axes of
/// size 1 before those of diffusers. It owns the store that it is made from.
/// </summary>
internal sealed class SplitStore : WeightStore
{
    private readonly WeightStore _inner;
    private readonly OrderedDictionary<string, (string Stored, NameRow Row)> _sources = [];

    /// <param name="inner">The store; this disposes it.</param>
    /// <param name="table">The names.</param>
    /// <param name="isNotUsed">Whether a name that the table lacks is known to be of no use.</param>
    /// <exception cref="SoraException">There are tensors that the table does not have.</exception>
    public SplitStore(WeightStore inner, NameTable table, Func<string, bool> isNotUsed)
    {
        _inner = inner;
        try
        {
            var strange = new List<string>();
            foreach (string stored in inner.Names)
            {
                (string Name, NameRow Row)[] parts = [.. table.PartsOf(stored)];
                foreach ((string name, NameRow row) in parts)
                    _sources.Add(name, (stored, row));
                if (parts.Length == 0 && !isNotUsed(stored))
                    strange.Add(stored);
            }
            if (strange.Count > 0)
                throw NetworkNaming.Strange(inner.Location, strange);
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
    public override IReadOnlyCollection<string> Names => _sources.Keys;

    /// <inheritdoc/>
    public override IReadOnlyList<string> UnusedNames
    {
        get
        {
            HashSet<string> unused = [.. _inner.UnusedNames];
            return [.. _sources.Where(source => unused.Contains(source.Value.Stored)).Select(source => source.Key)];
        }
    }

    /// <inheritdoc/>
    public override bool Contains(string name) => _sources.ContainsKey(name);

    /// <inheritdoc/>
    public override IReadOnlyList<long> ShapeOf(string name)
    {
        (string stored, NameRow row) = Source(name);
        long[] shape = [.. _inner.ShapeOf(stored)];
        if (row.Axes is { } axes && shape.Length > axes)
        {
            if (shape.Take(shape.Length - axes).Any(size => size != 1))
                throw new SoraException($"{PathOf(name)}: {stored} has shape [{string.Join(", ", shape)}]; allowed: {axes} axes after ones of size 1.");
            shape = shape[^axes..];
        }
        if (row.Parts > 1)
        {
            if (shape.Length == 0 || shape[0] % row.Parts != 0)
                throw new SoraException($"{PathOf(name)}: {stored} has shape [{string.Join(", ", shape)}]; allowed: {row.Parts} equal parts along the first axis.");
            shape[0] /= row.Parts;
        }
        return shape;
    }

    /// <inheritdoc/>
    public override string PathOf(string name) => _inner.PathOf(Source(name).Stored);

    /// <inheritdoc/>
    public override string StoredTypeOf(string name) => _inner.StoredTypeOf(Source(name).Stored);

    /// <inheritdoc/>
    public override Tensor Read(string name, ScalarType type, Device device)
    {
        (string stored, NameRow row) = Source(name);
        long[] shape = [.. ShapeOf(name)];
        using DisposeScope scope = NewDisposeScope();
        Tensor whole = _inner.Read(stored, type, device);
        Tensor part = row.Parts == 1 ? whole : whole.narrow(0, row.Part * shape[0], shape[0]);
        // The parts lie one after the other, so that a part is a view.
        return scope.MoveToOuter(part.view(shape));
    }

    /// <inheritdoc/>
    public override void Dispose() => _inner.Dispose();

    private (string Stored, NameRow Row) Source(string name) =>
        _sources.TryGetValue(name, out (string, NameRow) source) ? source : throw Missing(name);
}
