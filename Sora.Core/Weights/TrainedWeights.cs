namespace Sora.Weights;

/// <summary>The parameters of a network in training as named tensors, to be written as any other weights.</summary>
/// <param name="parameters">The parameters, which this does not dispose.</param>
internal sealed class TrainedWeights(IReadOnlyDictionary<string, Parameter> parameters) : WeightStore
{
    /// <inheritdoc/>
    public override string Location => "the network in training";

    /// <inheritdoc/>
    public override IReadOnlyCollection<string> Names => [.. parameters.Keys];

    /// <inheritdoc/>
    public override IReadOnlyList<string> UnusedNames => [];

    /// <inheritdoc/>
    public override bool Contains(string name) => parameters.ContainsKey(name);

    /// <inheritdoc/>
    public override IReadOnlyList<long> ShapeOf(string name) => Find(name).shape;

    /// <inheritdoc/>
    public override string PathOf(string name) => Location;

    /// <inheritdoc/>
    public override string StoredTypeOf(string name) => Find(name).dtype.ToString();

    /// <inheritdoc/>
    public override Tensor Read(string name, ScalarType type, Device device)
    {
        using IDisposable noGradients = no_grad();
        using DisposeScope scope = NewDisposeScope();
        return scope.MoveToOuter(Find(name).detach().to(type).to(device));
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
    }

    private Parameter Find(string name) =>
        parameters.TryGetValue(name, out Parameter? parameter) ? parameter : throw new SoraException($"{Location} has no tensor {name}.");
}
