namespace Sora.Weights;

/// <summary>
/// A checkpoint that torch.save wrote (<c>.pth</c>, <c>.pt</c>, <c>.bin</c> since torch 1.6), mapped into memory: data are
/// used where they lie. Only dictionaries of tensors are read, and no code of the file is run. Safe to read from several threads.
/// </summary>
public sealed unsafe class PickledCheckpoint : IDisposable
{
    /// <summary>An archive with nothing in it.</summary>
    private const int ShortestFile = 22;

    /// <summary>That of the largest published model has 200 KB.</summary>
    private const int LongestPickle = 4 << 20;

    /// <summary>Keys under which training programs put the state dict beside other things.</summary>
    private static readonly string[] Wrappers = ["state_dict", "model_state", "model", "module", "params"];

    private readonly MappedFile _file;
    private readonly OrderedDictionary<string, SafetensorsEntry> _entries = [];

    private PickledCheckpoint(MappedFile file)
    {
        _file = file;
        try
        {
            ReadEntries();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The path as it was given.</summary>
    public string Path => _file.Path;

    /// <summary>The tensors by name, in the order of the dictionary; shared data occurs under each of its names.</summary>
    public IReadOnlyDictionary<string, SafetensorsEntry> Entries => _entries;

    /// <summary>Maps the file and reads what it holds.</summary>
    /// <exception cref="SoraException">
    /// The file is missing, damaged, of an older kind, or holds more than tensors; the message names the file and what is wrong.
    /// </exception>
    public static PickledCheckpoint Open(string path) =>
        new(MappedFile.Open(path, ShortestFile, "a checkpoint of torch.save"));

    /// <summary>The address of a tensor's data, read-only and the same until this is disposed.</summary>
    public nint Pointer(SafetensorsEntry entry)
    {
        ArgumentNullException.ThrowIfNull(entry);
        byte* start = _file.Start;
        if (!_entries.TryGetValue(entry.Name, out SafetensorsEntry? own) || !ReferenceEquals(own, entry))
            throw new ArgumentException($"'{entry.Name}' is not an entry of {Path}.", nameof(entry));
        return (nint)(start + entry.ByteOffset);
    }

    /// <summary>Unmaps the file; pointers into it become invalid.</summary>
    public void Dispose() => _file.Dispose();

    private void ReadEntries()
    {
        ReadOnlySpan<byte> magic = Span(0, 2);
        if (magic[0] == 0x80)
            throw new SoraException($"{Path}: the checkpoint was written by torch before 1.6; load and save it again with a newer one.");
        if (!magic.SequenceEqual("PK"u8))
            throw new SoraException($"{Path}: this is not a checkpoint of torch.save, which is a zip file.");
        Dictionary<string, (long Offset, long Length)> archive = PickledCheckpointArchive.Read(Path, _file.Start, _file.Length);
        string[] pickles = [.. archive.Keys.Where(name => name == "data.pkl" || name.EndsWith("/data.pkl", StringComparison.Ordinal))];
        if (pickles is not [string pickle])
            throw new SoraException($"{Path}: looked for one data.pkl, found {pickles.Length}; this is not a checkpoint of torch.save.");
        string root = pickle[..^"data.pkl".Length];
        if (archive.TryGetValue(root + "byteorder", out (long Offset, long Length) order)
            && !Span(order.Offset, (int)Math.Min(order.Length, 16)).StartsWith("little"u8))
            throw new SoraException($"{Path}: the numbers are big-endian; allowed: little-endian.");

        (long offset, long size) = archive[pickle];
        if (size > LongestPickle)
            throw new SoraException($"{Path}: its data.pkl has {size} bytes; allowed: {LongestPickle}.");
        object? value = PickledCheckpointReader.Read(Path, Span(offset, (int)size));
        foreach ((object? key, object? item) in StateDict(value).Items)
            if (key is string name && item is PickledTensor tensor)
                Add(name, tensor, archive, root);
    }

    /// <summary>The dictionary of tensors: the value itself, or one of its own values.</summary>
    private PickledDictionary StateDict(object? value)
    {
        if (value is not PickledDictionary dictionary)
            throw new SoraException($"{Path}: the checkpoint is no dictionary of tensors.");
        if (HasTensors(dictionary))
            return dictionary;
        foreach (string wrapper in Wrappers)
            foreach ((object? key, object? inner) in dictionary.Items)
                if (key is string name && name == wrapper && inner is PickledDictionary state && HasTensors(state))
                    return state;
        string[] keys = [.. dictionary.Items.Select(item => $"{item.Key ?? "None"}")];
        throw new SoraException($"{Path}: looked for tensors or one of {string.Join(", ", Wrappers)}, found {ModelFolder.Listing(keys)}.");
    }

    private static bool HasTensors(PickledDictionary dictionary) => dictionary.Items.Any(item => item.Value is PickledTensor);

    private void Add(string name, PickledTensor tensor, Dictionary<string, (long Offset, long Length)> archive, string root)
    {
        PickledStorage storage = tensor.Storage;
        if (!archive.TryGetValue($"{root}data/{storage.Key}", out (long Offset, long Length) data))
            throw new SoraException($"{Path}: the data of '{name}', {root}data/{storage.Key}, is missing.");
        int element = storage.Type.Size();
        if (storage.Count > data.Length / element)
            throw new SoraException($"{Path}: the data of '{name}' has {data.Length} bytes; {storage.Count} elements of {storage.Type.HeaderName()} were announced.");

        long count = 1;
        for (int axis = tensor.Shape.Length - 1; axis >= 0 && !tensor.Shape.Contains(0); axis--)
        {
            long size = tensor.Shape[axis];
            if (size > 1 && tensor.Strides[axis] != count)
                throw new SoraException($"{Path}: '{name}' of [{string.Join(", ", tensor.Shape)}] has strides "
                    + $"[{string.Join(", ", tensor.Strides)}]; only row-major tensors are read.");
            if (count > storage.Count / size)
                throw Outside(name, tensor);
            count *= size;
        }
        if (tensor.Shape.Contains(0))
            count = 0;
        if (tensor.Offset < 0 || tensor.Offset > storage.Count - count)
            throw Outside(name, tensor);
        var entry = new SafetensorsEntry(name, storage.Type, tensor.Shape, data.Offset + (tensor.Offset * element), count * element);
        if (!_entries.TryAdd(name, entry))
            throw new SoraException($"{Path}: tensor '{name}' is there twice.");
    }

    private SoraException Outside(string name, PickledTensor tensor) =>
        new($"{Path}: '{name}' of [{string.Join(", ", tensor.Shape)}] from element {tensor.Offset} reaches beyond its {tensor.Storage.Count} elements.");

    private ReadOnlySpan<byte> Span(long offset, int count) => new(_file.Start + offset, count);
}
