using System.Collections.Concurrent;

namespace Sora.Weights;

/// <summary>
/// The tensors of a GGUF file, under the names of the file. Quantised ones are dequantised each time they are read, so that
/// a network whose layers are read as they are used lies in memory in its quantised size.
/// </summary>
internal sealed class GgufStore : WeightStore
{
    private readonly GgufFile _file;
    private readonly ConcurrentDictionary<string, bool> _read = [];

    private GgufStore(GgufFile file) => (_file, Names) = (file, [.. file.Entries.Keys]);

    /// <inheritdoc/>
    public override string Location => _file.Path;

    /// <summary>The kind of network, such as <c>wan</c> or <c>t5encoder</c>; null where the file does not say.</summary>
    public string? Architecture => _file.Architecture;

    /// <inheritdoc/>
    public override IReadOnlyCollection<string> Names { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<string> UnusedNames => [.. _file.Entries.Keys.Where(name => !_read.ContainsKey(name))];

    /// <summary>Opens a file.</summary>
    /// <exception cref="SoraException">The file is missing, damaged, or quantised in a way that is not known.</exception>
    public static GgufStore Open(string path) => new(GgufFile.Open(path));

    /// <inheritdoc/>
    public override bool Contains(string name) => _file.Entries.ContainsKey(name);

    /// <inheritdoc/>
    public override IReadOnlyList<long> ShapeOf(string name) => Require(name).Shape;

    /// <inheritdoc/>
    public override string PathOf(string name) => Contains(name) ? Location : throw Missing(name);

    /// <inheritdoc/>
    public override string StoredTypeOf(string name) => Require(name).Type.ToString();

    /// <inheritdoc/>
    public override Tensor Read(string name, ScalarType type, Device device)
    {
        GgufEntry entry = Require(name);
        _read[name] = true;
        Tensor read = entry.Type.Engine() is { } stored
            ? Numbers(_file.Pointer(entry), entry.Shape, stored, type, device)
            : GgufTensor.Dequantize(_file.Pointer(entry), entry.Shape, entry.Type, type, device);
        if (entry.Type.Engine() != type)
            _file.Release(entry);
        return read;
    }

    /// <inheritdoc/>
    protected internal override void Fill(string name, Tensor target)
    {
        GgufEntry entry = Require(name);
        _read[name] = true;
        if (entry.Type.Engine() is null && IsDirect(target))
            GgufTensor.DequantizeInto(target, _file.Pointer(entry), entry.Type);
        else
            base.Fill(name, target);
        _file.Release(entry);
    }

    /// <inheritdoc/>
    public override void Dispose() => _file.Dispose();

    private GgufEntry Require(string name) => _file.Entries.TryGetValue(name, out GgufEntry? entry) ? entry : throw Missing(name);
}
