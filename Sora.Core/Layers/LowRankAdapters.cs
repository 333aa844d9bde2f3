namespace Sora.Layers;

/// <summary>
/// The LoRA of a network in training. The network's linear layers ask for their pair when they are built; the weights
/// themselves take no gradient.
/// </summary>
internal sealed class LowRankAdapters : IDisposable
{
    private readonly IReadOnlyList<string> _modules;
    private readonly int _rank;
    private readonly double _factor;
    private readonly FreshParameters _parameters;
    private readonly ParameterScope _root;

    /// <param name="modules">The modules to adapt, as peft matches them: the whole name or its end after a dot.</param>
    /// <param name="rank">The rank.</param>
    /// <param name="alpha">The products are multiplied with alpha / rank.</param>
    /// <param name="seed">The seed of the first values.</param>
    /// <param name="device">Where they are.</param>
    public LowRankAdapters(IReadOnlyList<string> modules, int rank, double alpha, ulong seed, Device device)
    {
        (_modules, _rank, _factor) = (modules, rank, alpha / rank);
        _parameters = new(seed, float32, device);
        _root = new(_parameters);
    }

    /// <summary>The matrices by name, as in <c>blocks.0.attn1.to_q.lora_A.weight</c>.</summary>
    public IReadOnlyDictionary<string, Parameter> Parameters => _parameters.Parameters;

    /// <summary>Whether a module is among those to adapt.</summary>
    public static bool IsAmong(IEnumerable<string> modules, string module) =>
        modules.Any(end => module == end || module.EndsWith($".{end}", StringComparison.Ordinal));

    /// <summary>The pair of a linear layer; null where it is not adapted.</summary>
    /// <param name="module">The layer's name.</param>
    /// <param name="inputs">Its input's width.</param>
    /// <param name="outputs">Its output's width.</param>
    public LowRankPair? Of(string module, long inputs, long outputs)
    {
        if (!IsAmong(_modules, module))
            return null;
        // peft's first values: A as torch's linear layers, B zero.
        ParameterScope scope = _root[module];
        return new(
            scope["lora_A"].Float("weight", [_rank, inputs], Initialization.FanIn(inputs)),
            scope["lora_B"].Float("weight", [outputs, _rank], Initialization.Zero),
            _factor);
    }

    /// <summary>Frees the matrices.</summary>
    public void Dispose() => _parameters.Dispose();
}
