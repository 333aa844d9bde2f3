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
    /// <inheritdoc cref="CheckpointParameters(string, ScalarType, Device, IReadOnlyDictionary{string, string}?)"/>
    internal CheckpointParameters(WeightStore store, ScalarType computeType, Device device, IReadOnlyDictionary<string, string>? otherNames = null)
        : base(computeType, computeType)
    {
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
    protected override Tensor Create(string name, long[] shape, Initialization initialization, ScalarType type)
    {
        string stored = StoredName(name);
        IReadOnlyList<long> found = _store.ShapeOf(stored);
        if (!found.SequenceEqual(shape))
            throw new SoraException($"{_store.PathOf(stored)}: {name} has shape [{string.Join(", ", found)}]; the config asks for [{string.Join(", ", shape)}].");
        return _store.Read(stored, type, _device);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        _store.Dispose();
    }

    private string StoredName(string name) =>
        _store.Contains(name) ? name
        : _otherNames.TryGetValue(name, out string? other) && _store.Contains(other) ? other
        : throw new SoraException($"{_store.Location} has no tensor {name}, which the config asks for.");
}
