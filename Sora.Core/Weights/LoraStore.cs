namespace Sora.Weights;

/// <summary>
/// The tensors of a store with LoRAs added: W + Σ scale·(alpha / rank)·up·down, computed in float32 and rounded once to the
/// type that is asked for. What no LoRA changes is the store's own, so it stays where it lies in the mapped file; reading
/// the same store without the LoRAs gives the original bits.
/// </summary>
internal sealed class LoraStore : WeightStore
{
    private readonly WeightStore _inner;
    private readonly (LoraAdapter Adapter, double Scale)[] _loras;

    /// <param name="inner">The store, in diffusers' names; this disposes it, and not the LoRAs.</param>
    /// <param name="loras">The LoRAs and their scales; scale 0 leaves the weights as they are.</param>
    /// <exception cref="SoraException">A LoRA was made for another model.</exception>
    public LoraStore(WeightStore inner, IReadOnlyList<(LoraAdapter Adapter, double Scale)> loras)
    {
        ArgumentNullException.ThrowIfNull(inner);
        ArgumentNullException.ThrowIfNull(loras);
        _inner = inner;
        var notes = new List<string>();
        try
        {
            foreach ((LoraAdapter adapter, _) in loras)
            {
                IReadOnlyList<string> leftOut = LoraFit.Require(adapter, name => inner.Contains(name) ? inner.ShapeOf(name) : null);
                if (leftOut.Count > 0)
                    notes.Add($"{adapter.Path} also changes image cross-attention, which this model does not have; {leftOut.Count} of {adapter.Parameters.Count} parameters are left out.");
            }
        }
        catch
        {
            inner.Dispose();
            throw;
        }
        _loras = [.. loras.Where(lora => lora.Scale != 0)];
        Notes = notes;
    }

    /// <summary>What of the LoRAs has no place in the model.</summary>
    public IReadOnlyList<string> Notes { get; }

    /// <inheritdoc/>
    public override string Location => _inner.Location;

    /// <inheritdoc/>
    public override IReadOnlyCollection<string> Names => _inner.Names;

    /// <inheritdoc/>
    public override IReadOnlyList<string> UnusedNames => _inner.UnusedNames;

    /// <inheritdoc/>
    public override bool Contains(string name) => _inner.Contains(name);

    /// <inheritdoc/>
    public override IReadOnlyList<long> ShapeOf(string name) => _inner.ShapeOf(name);

    /// <inheritdoc/>
    public override string PathOf(string name) => _inner.PathOf(name);

    /// <inheritdoc/>
    public override string StoredTypeOf(string name) => _inner.StoredTypeOf(name);

    /// <inheritdoc/>
    public override Tensor Read(string name, ScalarType type, Device device)
    {
        if (!_loras.Any(lora => lora.Adapter.Changes(name)))
            return _inner.Read(name, type, device);
        using IDisposable noGradients = no_grad();
        using DisposeScope scope = NewDisposeScope();
        Tensor sum = _inner.Read(name, float32, device);
        foreach ((LoraAdapter adapter, double scale) in _loras)
            sum = adapter.Apply(name, sum, scale);
        return scope.MoveToOuter(sum.to(type));
    }

    /// <inheritdoc/>
    protected internal override void Fill(string name, Tensor target)
    {
        if (_loras.Any(lora => lora.Adapter.Changes(name)))
            base.Fill(name, target);
        else
            _inner.Fill(name, target);
    }

    /// <inheritdoc/>
    public override void Dispose() => _inner.Dispose();
}
