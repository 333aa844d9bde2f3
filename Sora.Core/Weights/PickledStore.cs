using System.Collections.Concurrent;

namespace Sora.Weights;

/// <summary>The tensors of a checkpoint of torch.save.</summary>
internal sealed class PickledStore(PickledCheckpoint file) : WeightStore
{
    private readonly ConcurrentDictionary<string, bool> _read = [];

    /// <inheritdoc/>
    public override string Location => file.Path;

    /// <inheritdoc/>
    public override IReadOnlyCollection<string> Names { get; } = [.. file.Entries.Keys];

    /// <inheritdoc/>
    public override IReadOnlyList<string> UnusedNames => [.. Names.Where(name => !_read.ContainsKey(name))];

    /// <summary>Opens a file.</summary>
    /// <exception cref="SoraException">The file is missing, damaged, or holds more than tensors.</exception>
    public static PickledStore Open(string path) => new(PickledCheckpoint.Open(path));

    /// <inheritdoc/>
    public override bool Contains(string name) => file.Entries.ContainsKey(name);

    /// <inheritdoc/>
    public override IReadOnlyList<long> ShapeOf(string name) => Entry(name).Shape;

    /// <inheritdoc/>
    public override string PathOf(string name)
    {
        _ = Entry(name);
        return file.Path;
    }

    /// <inheritdoc/>
    public override string StoredTypeOf(string name) => Entry(name).Type.HeaderName();

    /// <inheritdoc/>
    public override Tensor Read(string name, ScalarType type, Device device)
    {
        SafetensorsEntry entry = Entry(name);
        _read[name] = true;
        ScalarType stored = entry.Type.Engine()
            ?? throw new SoraException($"{file.Path}: {name} is stored as {entry.Type.HeaderName()}; F64, F32, F16 and BF16 can be read.");
        return Numbers(file.Pointer(entry), entry.Shape, stored, type, device);
    }

    /// <inheritdoc/>
    public override void Dispose() => file.Dispose();

    private SafetensorsEntry Entry(string name) =>
        file.Entries.TryGetValue(name, out SafetensorsEntry? entry) ? entry : throw Missing(name);
}
