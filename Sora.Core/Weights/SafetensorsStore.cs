using System.Collections.Concurrent;

namespace Sora.Weights;

/// <summary>
/// The tensors of safetensors files. Numbers of 8 bits are read with the scales that lie beside them; those are no tensors
/// of the store.
/// </summary>
internal sealed class SafetensorsStore : WeightStore
{
    private readonly WeightFiles _files;
    private readonly Float8Scales _scales;
    private readonly List<string> _names;
    private readonly ConcurrentDictionary<string, bool> _read = [];

    private SafetensorsStore(string path)
    {
        Location = path;
        _files = WeightFiles.Open(path);
        try
        {
            _scales = new Float8Scales(_files);
            _names = [.. _files.Names.Where(name => !_scales.IsCompanion(name))];
        }
        catch
        {
            _files.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public override string Location { get; }

    /// <inheritdoc/>
    public override IReadOnlyCollection<string> Names => _names;

    /// <inheritdoc/>
    public override IReadOnlyList<string> UnusedNames => [.. Names.Where(name => !_read.ContainsKey(name))];

    /// <summary>Opens a folder or a file, as <see cref="WeightFiles.Open"/> does.</summary>
    /// <exception cref="SoraException">The files are missing, damaged, or contradict each other.</exception>
    public static SafetensorsStore Open(string path) => new(path);

    /// <inheritdoc/>
    public override bool Contains(string name) => _files.Find(name) is not null && !_scales.IsCompanion(name);

    /// <inheritdoc/>
    public override IReadOnlyList<long> ShapeOf(string name) => _files.Require(name).Shape;

    /// <inheritdoc/>
    public override string PathOf(string name) => _files.PathOf(name);

    /// <inheritdoc/>
    public override string StoredTypeOf(string name) => _files.Require(name).Type.HeaderName();

    /// <inheritdoc/>
    public override Tensor Read(string name, ScalarType type, Device device)
    {
        SafetensorsEntry entry = _files.Require(name);
        _read[name] = true;
        Tensor read = Read(entry, name, type, device);
        if (entry.Type.Engine() != type)
            _files.Release(name);
        return read;
    }

    private Tensor Read(SafetensorsEntry entry, string name, ScalarType type, Device device)
    {
        float[] scales = _scales.Of(entry);
        if (Float8.Is(entry.Type))
            return Float8Tensor.Read(_files.Pointer(name), entry.Shape, entry.Type, scales, type, device);
        ScalarType stored = entry.Type.Engine()
            ?? throw new SoraException($"{PathOf(name)}: {name} is stored as {entry.Type.HeaderName()}; F64, F32, F16, BF16, F8_E4M3 and F8_E5M2 can be read.");
        if (scales is [1])
            return Numbers(_files.Pointer(name), entry.Shape, stored, type, device);
        using DisposeScope scope = NewDisposeScope();
        return scope.MoveToOuter(Scaled(_files.Pointer(name), entry, stored, scales).to(type).to(device));
    }

    /// <inheritdoc/>
    protected internal override void Fill(string name, Tensor target)
    {
        SafetensorsEntry entry = _files.Require(name);
        _read[name] = true;
        if (Float8.Is(entry.Type) && IsDirect(target))
            Float8Tensor.ReadInto(target, _files.Pointer(name), entry.Type, _scales.Of(entry));
        else
            base.Fill(name, target);
        _files.Release(name);
    }

    /// <inheritdoc/>
    public override void Dispose() => _files.Dispose();

    // Files that scale every linear layer hold some of them in 16 bits.
    private static Tensor Scaled(nint address, SafetensorsEntry entry, ScalarType stored, float[] scales)
    {
        long[] perRow = [scales.Length, .. Enumerable.Repeat(1L, Math.Max(0, entry.Shape.Length - 1))];
        return (Numbers(address, entry.Shape, stored, float32, CPU) * tensor(scales).view(perRow)).view(entry.Shape);
    }
}
