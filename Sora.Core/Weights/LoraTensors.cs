using Sora.Layers;

namespace Sora.Weights;

/// <summary>The tensors of a LoRA file, read as numbers where they lie in the mapped file.</summary>
internal sealed class LoraTensors(string path) : IDisposable
{
    private readonly SafetensorsFile _file = SafetensorsFile.Open(path);

    /// <summary>The path of the file.</summary>
    public string Path => _file.Path;

    /// <summary>The tensors by name.</summary>
    public IReadOnlyDictionary<string, SafetensorsEntry> Entries => _file.Entries;

    /// <summary>Text about the whole file.</summary>
    public IReadOnlyDictionary<string, string> Metadata => _file.Metadata;

    /// <summary>A tensor in float32 on the CPU. It may lie in the file: not to be written to.</summary>
    /// <exception cref="SoraException">It is stored as something that is no number.</exception>
    public Tensor Read(SafetensorsEntry entry)
    {
        using DisposeScope scope = NewDisposeScope();
        return scope.MoveToOuter(Stored(entry).to(float32));
    }

    /// <summary>Requires that a tensor holds neither NaN nor infinity.</summary>
    /// <exception cref="SoraException">It does.</exception>
    public void RequireFinite(SafetensorsEntry entry)
    {
        using DisposeScope scope = NewDisposeScope();
        // The sum of x·0 is 0 for numbers and NaN otherwise.
        if (float.IsNaN((Stored(entry) * 0).sum().to(float32).item<float>()))
            throw new SoraException($"{Path}: tensor '{entry.Name}' holds NaN or infinity; the file is damaged.");
    }

    /// <summary>Unmaps the file.</summary>
    public void Dispose() => _file.Dispose();

    private Tensor Stored(SafetensorsEntry entry)
    {
        ScalarType type = TypeOf(entry);
        if (entry.IsAligned)
            return EngineMemory.View(_file.Pointer(entry), entry.Shape, type);
        Tensor copy = empty(entry.Shape, type);
        _file.Bytes(entry).CopyTo(copy.bytes);
        return copy;
    }

    private ScalarType TypeOf(SafetensorsEntry entry) => entry.Type switch
    {
        SafetensorsType.F64 => float64,
        SafetensorsType.F32 => float32,
        SafetensorsType.F16 => float16,
        SafetensorsType.BF16 => bfloat16,
        _ => throw new SoraException($"{Path}: tensor '{entry.Name}' is stored as {entry.Type.HeaderName()}; F64, F32, F16 and BF16 can be read in a LoRA."),
    };
}
