using Sora.Layers;

namespace Sora.Weights;

/// <summary>
/// Parameters from the files of a component. A tensor that is stored in the type it is wanted in is used where it lies in
/// the mapped file; another is converted once.
/// </summary>
public sealed class CheckpointParameters : ParameterSource
{
    private readonly WeightFiles _files;
    private readonly string _folder;
    private readonly Device _device;
    private readonly IReadOnlyDictionary<string, string> _otherNames;

    /// <summary>Opens the weights of a component's folder.</summary>
    /// <param name="folder">The folder with <c>*.safetensors</c>.</param>
    /// <param name="computeType">The type of matrix products, and of the weights that they use.</param>
    /// <param name="device">Where the parameters go.</param>
    /// <param name="otherNames">Names under which a parameter may be stored instead.</param>
    /// <exception cref="SoraException">The files are missing or damaged.</exception>
    public CheckpointParameters(string folder, ScalarType computeType, Device device, IReadOnlyDictionary<string, string>? otherNames = null)
        : base(computeType, computeType)
    {
        _files = WeightFiles.Open(folder);
        _folder = folder;
        _device = device;
        _otherNames = otherNames ?? new Dictionary<string, string>();
    }

    /// <summary>The text encoder's table of vectors, which is stored under either of two names.</summary>
    public static IReadOnlyDictionary<string, string> TextEncoderNames { get; } =
        new Dictionary<string, string> { ["shared.weight"] = "encoder.embed_tokens.weight" };

    /// <summary>The names in the files that the network did not ask for.</summary>
    public IReadOnlyList<string> UnusedNames => _files.UnusedNames;

    /// <inheritdoc/>
    protected override Tensor Create(string name, long[] shape, Initialization initialization, ScalarType type)
    {
        SafetensorsEntry entry = Find(name);
        if (!entry.Shape.SequenceEqual(shape))
            throw new SoraException($"{_files.PathOf(entry.Name)}: {name} has shape [{string.Join(", ", entry.Shape)}]; the config asks for [{string.Join(", ", shape)}].");
        using DisposeScope scope = NewDisposeScope();
        Tensor stored = EngineMemory.View(_files.Pointer(entry.Name), entry.Shape, TypeOf(entry));
        return scope.MoveToOuter(stored.to(type).to(_device));
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        _files.Dispose();
    }

    private SafetensorsEntry Find(string name) =>
        _files.Find(name)
        ?? (_otherNames.TryGetValue(name, out string? other) ? _files.Find(other) : null)
        ?? throw new SoraException($"{_folder} has no tensor {name}, which the config asks for.");

    private ScalarType TypeOf(SafetensorsEntry entry) => entry.Type switch
    {
        SafetensorsType.F64 => float64,
        SafetensorsType.F32 => float32,
        SafetensorsType.F16 => float16,
        SafetensorsType.BF16 => bfloat16,
        _ => throw new SoraException($"{_files.PathOf(entry.Name)}: {entry.Name} is stored as {entry.Type}; F64, F32, F16 and BF16 can be read."),
    };
}
