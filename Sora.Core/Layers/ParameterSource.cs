namespace Sora.Layers;

/// <summary>Where the parameters of a network come from: a checkpoint, an initialisation, or nowhere (shapes alone).</summary>
public abstract class ParameterSource : IDisposable
{
    private readonly Dictionary<string, Parameter> _parameters = [];
    private readonly List<Tensor> _derived = [];

    /// <summary>Creates a source.</summary>
    /// <param name="weightType">The type in which the parameters of matrix products are held.</param>
    /// <param name="computeType">The type in which they are used.</param>
    protected ParameterSource(ScalarType weightType, ScalarType computeType) =>
        (WeightType, ComputeType) = (weightType, computeType);

    /// <summary>The type in which the parameters of matrix products and convolutions are held.</summary>
    public ScalarType WeightType { get; }

    /// <summary>The type in which matrix products and convolutions are computed.</summary>
    public ScalarType ComputeType { get; }

    /// <summary>Whether layers that allow it hold their weights in 8 bits (<see cref="ParameterScope.AllowInt8"/>).</summary>
    internal bool Int8 { get; init; }

    /// <summary>The LoRA that is trained with the parameters; null: none. Not disposed with them.</summary>
    internal LowRankAdapters? Adapters { get; init; }

    /// <summary>The parameters handed out so far, by full name.</summary>
    public IReadOnlyDictionary<string, Parameter> Parameters => _parameters;

    internal Parameter Take(string name, long[] shape, Initialization initialization, ScalarType type)
    {
        Parameter parameter = new(Create(name, shape, initialization, type), requires_grad: false);
        parameter.DetachFromDisposeScope();
        if (!_parameters.TryAdd(name, parameter))
            throw new InvalidOperationException($"The network asks twice for its parameter {name}.");
        return parameter;
    }

    /// <summary>A tensor of which something else is made, and which is the caller's.</summary>
    internal Tensor TakeOnce(string name, long[] shape, Initialization initialization, ScalarType type) => Create(name, shape, initialization, type);

    /// <summary>The layers of a list: each of them in memory, unless the source reads them as they are used.</summary>
    /// <param name="scope">The list's place.</param>
    /// <param name="count">The number of layers.</param>
    /// <param name="build">Builds a layer from its scope.</param>
    internal virtual LayerSequence<T> Layers<T>(ParameterScope scope, int count, Func<ParameterScope, T> build) =>
        new ResidentLayers<T>([.. Enumerable.Range(0, count).Select(i => build(scope[i]))]);

    internal virtual Tensor Own(Tensor derived)
    {
        _derived.Add(derived.DetachFromDisposeScope());
        return derived;
    }

    /// <summary>Makes the tensor of a parameter.</summary>
    /// <param name="name">The full published name.</param>
    /// <param name="shape">The shape that the network's config gives it.</param>
    /// <param name="initialization">How a fresh network fills it.</param>
    /// <param name="type">The type to hold it in.</param>
    protected abstract Tensor Create(string name, long[] shape, Initialization initialization, ScalarType type);

    /// <summary>Disposes the parameters.</summary>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Disposes the parameters.</summary>
    protected virtual void Dispose(bool disposing)
    {
        foreach (Parameter parameter in _parameters.Values)
            parameter.Dispose();
        foreach (Tensor tensor in _derived)
            tensor.Dispose();
    }
}

/// <summary>How a fresh network fills a parameter.</summary>
/// <param name="Kind">The distribution.</param>
/// <param name="Scale">Its standard deviation, or the constant.</param>
public readonly record struct Initialization(InitializationKind Kind, double Scale)
{
    /// <summary>All zero.</summary>
    public static Initialization Zero { get; } = new(InitializationKind.Constant, 0);

    /// <summary>All one.</summary>
    public static Initialization One { get; } = new(InitializationKind.Constant, 1);

    /// <summary>Normal with a standard deviation.</summary>
    public static Initialization Normal(double deviation) => new(InitializationKind.Normal, deviation);

    /// <summary>Xavier's uniform distribution for a matrix: variance 2 / (in + out).</summary>
    public static Initialization Xavier(long fanIn, long fanOut) =>
        new(InitializationKind.Uniform, Math.Sqrt(6.0 / (fanIn + fanOut)));

    /// <summary>The uniform distribution that torch gives convolutions and linear layers: ±1/√(fan in).</summary>
    public static Initialization FanIn(long fanIn) => new(InitializationKind.Uniform, 1 / Math.Sqrt(fanIn));
}

/// <summary>The distributions that fresh parameters come from.</summary>
public enum InitializationKind
{
    /// <summary>One value.</summary>
    Constant,

    /// <summary>Normal around zero; the scale is the standard deviation.</summary>
    Normal,

    /// <summary>Uniform between −scale and +scale.</summary>
    Uniform,
}
