using Sora.Layers;

namespace Sora.Weights;

/// <summary>
/// Parameters from the files of a component. A tensor that is stored in the type it is wanted in is used where it lies in
/// the mapped file; another is converted once.
/// </summary>
public sealed class CheckpointParameters : ParameterSource
{
    private readonly WeightStore _store;
    private readonly Device _device;
    private readonly IReadOnlyDictionary<string, string> _otherNames;
    private readonly bool _streamed;
    private readonly List<IDisposable> _streams = [];

    /// <summary>Opens the weights of a component's folder.</summary>
    /// <param name="folder">The folder with <c>*.safetensors</c>.</param>
    /// <param name="computeType">The type of matrix products, and of the weights that they use.</param>
    /// <param name="device">Where the parameters go.</param>
    /// <param name="otherNames">Names under which a parameter may be stored instead.</param>
    /// <exception cref="SoraException">The files are missing or damaged.</exception>
    public CheckpointParameters(string folder, ScalarType computeType, Device device, IReadOnlyDictionary<string, string>? otherNames = null)
        : this(SafetensorsStore.Open(folder), computeType, device, otherNames)
    {
    }

    /// <summary>Takes the parameters from a store, which it then owns.</summary>
    /// <param name="store">The weights.</param>
    /// <param name="computeType">The type of matrix products, and of the weights that they use.</param>
    /// <param name="device">Where the parameters go.</param>
    /// <param name="otherNames">Names under which a parameter may be stored instead.</param>
    /// <param name="streamed">Whether layers are read as they are used, two in memory at a time, and not all at once.</param>
    /// <param name="weightType">The type in which the weights are held; null is that of matrix products.</param>
    internal CheckpointParameters(
        WeightStore store, ScalarType computeType, Device device, IReadOnlyDictionary<string, string>? otherNames = null, bool streamed = false,
        ScalarType? weightType = null)
        : base(weightType ?? computeType, computeType)
    {
        _streamed = streamed;
        _store = store;
        _device = device;
        _otherNames = otherNames ?? new Dictionary<string, string>();
    }

    /// <summary>The text encoder's table of vectors, which is stored under either of two names.</summary>
    public static IReadOnlyDictionary<string, string> TextEncoderNames { get; } =
        new Dictionary<string, string> { ["shared.weight"] = "encoder.embed_tokens.weight" };

    /// <summary>The names in the files that the network did not ask for.</summary>
    public IReadOnlyList<string> UnusedNames => _store.UnusedNames;

    /// <inheritdoc/>
    internal override LayerSequence<T> Layers<T>(ParameterScope scope, int count, Func<ParameterScope, T> build)
    {
        // Of two layers both would be in memory anyway.
        if (!_streamed || count <= 2)
            return base.Layers(scope, count, build);
        var slots = (First: new LayerSlot<T>(this, _device, build), Second: new LayerSlot<T>(this, _device, build));
        var layers = new StreamedLayers<T>(count, slots, (index, name, target) => _store.ReadInto(StoredName(scope[index].NameOf(name)), target));
        _streams.Add(layers);
        // What a layer lacks is told now, as it is where all are loaded, and not in the middle of a video.
        for (int index = 0; index < count; index++)
        {
            foreach ((string name, Parameter parameter) in slots.First.Parameters)
                Locate(scope[index].NameOf(name), parameter.shape);
        }
        return layers;
    }

    /// <summary>Whether the parameters are to be changed, so that they may not lie in the mapped file.</summary>
    internal bool Changes { get; init; }

    /// <inheritdoc/>
    protected override Tensor Create(string name, long[] shape, Initialization initialization, ScalarType type)
    {
        Tensor values = _store.Read(Locate(name, shape), type, _device);
        if (!Changes)
            return values;
        using (values)
            return values.clone();
    }

    // The name under which a parameter is stored, in the shape that the network gives it.
    private string Locate(string name, long[] shape)
    {
        string stored = StoredName(name);
        IReadOnlyList<long> found = _store.ShapeOf(stored);
        if (!found.SequenceEqual(shape))
            throw new SoraException($"{_store.PathOf(stored)}: {name} has shape [{string.Join(", ", found)}]; the config asks for [{string.Join(", ", shape)}].");
        return stored;
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        // First: they read from the store on another thread.
        foreach (IDisposable stream in _streams)
            stream.Dispose();
        base.Dispose(disposing);
        _store.Dispose();
    }

    private string StoredName(string name) =>
        _store.Contains(name) ? name
        : _otherNames.TryGetValue(name, out string? other) && _store.Contains(other) ? other
        : throw new SoraException($"{_store.Location} has no tensor {name}, which the config asks for.");
}
