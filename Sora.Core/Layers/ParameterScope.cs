namespace Sora.Layers;

/// <summary>
/// A place in the tree of a network's parameters: where a part asks for its parameters by their published names. The
/// source behind it decides where they come from, so that a network that is loaded is never initialised first, and one
/// that is only described takes no memory.
/// </summary>
public sealed class ParameterScope
{
    private readonly ParameterSource _source;
    private readonly string _prefix;
    private readonly bool _int8;

    /// <summary>The root of a tree.</summary>
    /// <param name="source">Where the parameters come from.</param>
    public ParameterScope(ParameterSource source) : this(source, "")
    {
    }

    private ParameterScope(ParameterSource source, string prefix, bool int8 = false) => (_source, _prefix, _int8) = (source, prefix, int8);

    /// <summary>The type in which matrix products and convolutions are computed.</summary>
    public ScalarType ComputeType => _source.ComputeType;

    /// <summary>The scope of a child; the name may hold several levels (<c>ffn.net.0</c>).</summary>
    public ParameterScope this[string name] => new(_source, $"{_prefix}{name}.", _int8);

    /// <summary>The scope of an element of a list.</summary>
    public ParameterScope this[int index] => new(_source, $"{_prefix}{index}.", _int8);

    /// <summary>The same place, where linear layers may hold their weights in 8 bits if the source asks for it.</summary>
    public ParameterScope AllowInt8() => new(_source, _prefix, _source.Int8);

    /// <summary>Whether linear layers hold their weights here in 8 bits.</summary>
    internal bool IsInt8 => _int8;

    /// <summary>The full name of what lies here under a name.</summary>
    internal string NameOf(string name) => _prefix + name;

    /// <summary>What a LoRA in training adds to the linear layer at this place; null where it adds nothing.</summary>
    internal LowRankPair? Adapter(long inputs, long outputs) => _source.Adapters?.Of(_prefix.TrimEnd('.'), inputs, outputs);

    /// <summary>The layers of this list, which are alike and used in order; a source may read each when it is used.</summary>
    /// <param name="count">The number of layers.</param>
    /// <param name="build">Builds a layer from its scope.</param>
    internal LayerSequence<T> Layers<T>(int count, Func<ParameterScope, T> build) => _source.Layers(this, count, build);

    /// <summary>A parameter of a matrix product or convolution, held in the source's weight type.</summary>
    public Parameter Weight(string name, long[] shape, Initialization initialization) =>
        _source.Take(_prefix + name, shape, initialization, _source.WeightType);

    /// <summary>A weight in the source's type of which something else is made; the caller disposes it.</summary>
    internal Tensor WeightOnce(string name, long[] shape, Initialization initialization) =>
        _source.TakeOnce(_prefix + name, shape, initialization, _source.WeightType);

    /// <summary>A parameter that stays in float32: norms, modulation tables, embeddings of time.</summary>
    public Parameter Float(string name, long[] shape, Initialization initialization) =>
        _source.Take(_prefix + name, shape, initialization, float32);

    /// <summary>
    /// Hands over a tensor computed once from parameters, such as a weight in the order that a kernel wants; it is
    /// disposed with the network.
    /// </summary>
    public Tensor Own(Tensor derived) => _source.Own(derived);
}
