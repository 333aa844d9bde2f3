namespace Sora.Weights;

/// <summary>The sum of several networks' tensors, each times its model's factor, computed in float32.</summary>
internal sealed class MergedStore : WeightStore
{
    private readonly (WeightStore Store, double Factor)[] _parts;

    /// <param name="parts">Stores of the same names and shapes, at least one; this disposes them.</param>
    public MergedStore(IReadOnlyList<(WeightStore Store, double Factor)> parts) => _parts = [.. parts];

    /// <summary>Opens stores of the same names and shapes; where one cannot be opened none stays open.</summary>
    public static MergedStore Open(IReadOnlyList<(Func<WeightStore> Open, double Factor)> parts)
    {
        var opened = new List<(WeightStore, double)>();
        try
        {
            foreach ((Func<WeightStore> open, double factor) in parts)
                opened.Add((open(), factor));
            return new(opened);
        }
        catch
        {
            foreach ((WeightStore store, _) in opened)
                store.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public override string Location => string.Join(" + ", _parts.Select(part => part.Store.Location));

    /// <inheritdoc/>
    public override IReadOnlyCollection<string> Names => First.Names;

    /// <inheritdoc/>
    public override IReadOnlyList<string> UnusedNames => First.UnusedNames;

    private WeightStore First => _parts[0].Store;

    /// <inheritdoc/>
    public override bool Contains(string name) => First.Contains(name);

    /// <inheritdoc/>
    /// <exception cref="SoraException">It has another shape in one of the models, or is missing there.</exception>
    public override IReadOnlyList<long> ShapeOf(string name)
    {
        IReadOnlyList<long> shape = First.ShapeOf(name);
        foreach ((WeightStore store, _) in _parts)
        {
            if (!store.ShapeOf(name).SequenceEqual(shape))
                throw new SoraException($"{store.PathOf(name)}: {name} has shape [{string.Join(", ", store.ShapeOf(name))}] and in {First.PathOf(name)} [{string.Join(", ", shape)}]; only models of the same shapes can be merged.");
        }
        return shape;
    }

    /// <inheritdoc/>
    public override string PathOf(string name) => First.PathOf(name);

    /// <inheritdoc/>
    public override string StoredTypeOf(string name) => First.StoredTypeOf(name);

    /// <inheritdoc/>
    public override Tensor Read(string name, ScalarType type, Device device)
    {
        using IDisposable noGradients = no_grad();
        using DisposeScope scope = NewDisposeScope();
        Tensor sum = zeros([.. ShapeOf(name)], float32, device);
        foreach ((WeightStore store, double factor) in _parts)
            sum.add_(store.Read(name, float32, device), factor);
        return scope.MoveToOuter(sum.to(type));
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        foreach ((WeightStore store, _) in _parts)
            store.Dispose();
    }
}
