using System.Collections.Concurrent;

namespace Sora.Weights;

/// <summary>
/// The weights of one part of a model, in one safetensors file or several, as one set of named tensors. It remembers which
/// names were asked for, so that a loader can report those that nobody used. Looking up from several threads is safe.
/// </summary>
public sealed class WeightFiles : IDisposable
{
    private readonly List<SafetensorsFile> _files = [];
    private readonly OrderedDictionary<string, (SafetensorsFile File, SafetensorsEntry Entry)> _tensors = [];
    private readonly ConcurrentDictionary<string, bool> _used = [];
    private readonly string _path;

    private WeightFiles(string path, WeightFileSet set)
    {
        _path = path;
        try
        {
            foreach (string file in set.Files)
                Add(SafetensorsFile.Open(file));
            set.RequireNames(_tensors.ToDictionary(tensor => tensor.Key, tensor => tensor.Value.File.Path));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The names of all tensors, file by file in the order of their data.</summary>
    public IReadOnlyCollection<string> Names => _tensors.Keys;

    /// <summary>The names that neither <see cref="Require"/> nor <see cref="Find"/> was asked for.</summary>
    public IReadOnlyList<string> UnusedNames => [.. _tensors.Keys.Where(name => !_used.ContainsKey(name))];

    /// <summary>The paths of the files.</summary>
    public IReadOnlyList<string> Paths => [.. _files.Select(file => file.Path)];

    /// <summary>
    /// Opens the weights in a folder: <c>diffusion_pytorch_model.safetensors</c>, <c>model.safetensors</c>, either with
    /// <c>.index.json</c> and its shards, else the only index or the only safetensors file. A path of a safetensors file opens
    /// that file.
    /// </summary>
    /// <exception cref="SoraException">
    /// There are no weights, or two sets of them; a shard is missing; the index names a tensor that its shard lacks; two files
    /// hold the same tensor; a file breaks the format.
    /// </exception>
    public static WeightFiles Open(string path) => new(path, WeightFileSet.Find(path));

    /// <summary>The tensor of this name.</summary>
    /// <exception cref="SoraException">There is none; the message names the nearest.</exception>
    public SafetensorsEntry Require(string name) => Find(name) ?? throw Missing(name);

    /// <summary>The tensor of this name; null where there is none.</summary>
    public SafetensorsEntry? Find(string name)
    {
        if (!_tensors.TryGetValue(name, out (SafetensorsFile File, SafetensorsEntry Entry) tensor))
            return null;
        _used[name] = true;
        return tensor.Entry;
    }

    /// <summary>
    /// The data of a tensor, valid until this is disposed; see <see cref="SafetensorsFile.Bytes(SafetensorsEntry)"/>.
    /// </summary>
    /// <exception cref="SoraException">There is no such tensor.</exception>
    public ReadOnlySpan<byte> Bytes(string name)
    {
        SafetensorsEntry entry = Require(name);
        return _tensors[name].File.Bytes(entry);
    }

    /// <summary>
    /// The address of the data of a tensor, stable until this is disposed; see <see cref="SafetensorsFile.Pointer"/>.
    /// </summary>
    /// <exception cref="SoraException">There is no such tensor.</exception>
    public nint Pointer(string name)
    {
        SafetensorsEntry entry = Require(name);
        return _tensors[name].File.Pointer(entry);
    }

    /// <summary>Lets go of the memory of a tensor that was copied; see <see cref="MappedFile.Release"/>.</summary>
    /// <exception cref="SoraException">There is no such tensor.</exception>
    internal void Release(string name)
    {
        SafetensorsEntry entry = Require(name);
        _tensors[name].File.Release(entry);
    }

    /// <summary>The file that holds a tensor, for messages.</summary>
    /// <exception cref="SoraException">There is no such tensor.</exception>
    public string PathOf(string name) =>
        _tensors.TryGetValue(name, out (SafetensorsFile File, SafetensorsEntry Entry) tensor)
            ? tensor.File.Path
            : throw Missing(name);

    /// <summary>Unmaps all files.</summary>
    public void Dispose()
    {
        foreach (SafetensorsFile file in _files)
            file.Dispose();
    }

    private void Add(SafetensorsFile file)
    {
        _files.Add(file);
        foreach (SafetensorsEntry entry in file.Entries.Values)
            if (!_tensors.TryAdd(entry.Name, (file, entry)))
                throw new SoraException($"{_path}: tensor '{entry.Name}' is in two files, "
                    + $"{Path.GetFileName(_tensors[entry.Name].File.Path)} and {Path.GetFileName(file.Path)}.");
    }

    private SoraException Missing(string name)
    {
        string nearest = NearestName.Find(name, _tensors.Keys) is { } found ? $"; nearest: '{found}'" : "";
        return new SoraException($"{_path}: there is no tensor '{name}' among its {_tensors.Count}{nearest}.");
    }
}
