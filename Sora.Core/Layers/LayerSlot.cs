namespace Sora.Layers;

/// <summary>
/// One layer whose parameters are overwritten with those of whichever layer is used next. The memory stays the same: pages
/// that are new to the process cost more than dequantising the numbers that go there.
/// </summary>
internal sealed class LayerSlot<T> : ParameterSource
{
    private readonly Device _device;

    /// <summary>Makes the layer; its parameters hold nothing yet.</summary>
    /// <param name="of">The types of the network's parameters.</param>
    /// <param name="device">Where they go.</param>
    /// <param name="build">Builds the layer from its scope.</param>
    public LayerSlot(ParameterSource of, Device device, Func<ParameterScope, T> build) : base(of.WeightType, of.ComputeType)
    {
        _device = device;
        Layer = build(new ParameterScope(this));
    }

    /// <summary>The layer.</summary>
    public T Layer { get; }

    /// <summary>The number of the layer whose parameters these are; null while they are of none.</summary>
    public int? Holds { get; private set; }

    /// <summary>Reads the parameters of a layer over those that are there.</summary>
    /// <param name="index">Its number.</param>
    /// <param name="read">Reads a parameter, given its name within the layer.</param>
    /// <param name="cancellationToken">Honoured between parameters.</param>
    public void Load(int index, Action<string, Tensor> read, CancellationToken cancellationToken)
    {
        Holds = null;
        foreach ((string name, Parameter parameter) in Parameters)
        {
            cancellationToken.ThrowIfCancellationRequested();
            read(name, parameter);
        }
        Holds = index;
    }

    /// <inheritdoc/>
    protected override Tensor Create(string name, long[] shape, Initialization initialization, ScalarType type) => empty(shape, type, _device);

    /// <inheritdoc/>
    internal override Tensor Own(Tensor derived) =>
        throw new NotSupportedException("A layer that keeps tensors derived from its parameters cannot be streamed.");
}
