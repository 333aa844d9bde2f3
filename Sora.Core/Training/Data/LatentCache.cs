using System.Security.Cryptography;
using System.Text;
using Sora.Weights;

namespace Sora.Training.Data;

/// <summary>
/// Latents of clips on disk, in shards of some megabytes: safetensors files in a folder named by the autoencoder's hash, each
/// tensor under its clip's key. Another autoencoder is another folder, another content another key. Shards are mapped, so
/// memory does not grow with them; a shard appears under its name only when it is complete.
/// </summary>
public sealed class LatentCache : IDisposable
{
    /// <summary>What is collected before a shard is written: so much encoding at most is lost when the process is killed.</summary>
    internal const long ShardBytes = 32_000_000;

    private const string Pattern = "latents-*.safetensors";

    // What a killed process left behind; a younger one may belong to a process that is writing.
    private static readonly TimeSpan s_abandoned = TimeSpan.FromHours(1);

    private readonly string _folder;
    private readonly List<SafetensorsFile> _shards = [];
    private readonly Dictionary<string, (SafetensorsFile Shard, SafetensorsEntry Entry)> _latents = [];
    private readonly Dictionary<string, SafetensorsContent> _pending = [];
    private long _pendingBytes;

    private LatentCache(string folder) => _folder = folder;

    /// <summary>The number of latents, those that are not written yet included.</summary>
    public int Count => _latents.Count + _pending.Count;

    /// <summary>Writes a shard; a test writes to a disk that is full.</summary>
    internal Action<string, IEnumerable<SafetensorsContent>> WriteShard { get; set; } = (path, tensors) => SafetensorsWriter.Write(path, tensors);

    /// <summary>Opens the latents of an autoencoder. A shard that is damaged is removed, and its clips are encoded again.</summary>
    /// <param name="folder">The folder of all latents; made where it is missing.</param>
    /// <param name="vaeFolder">The autoencoder's component.</param>
    /// <param name="log">Told of damaged shards.</param>
    /// <exception cref="SoraException">The folder cannot be made or read, or the autoencoder not be read.</exception>
    public static LatentCache Open(string folder, string vaeFolder, Action<string> log)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        ArgumentNullException.ThrowIfNull(log);
        var cache = new LatentCache(Path.Combine(folder, ModelFingerprint.OfComponent(vaeFolder)));
        try
        {
            Directory.CreateDirectory(cache._folder);
            foreach (string file in Directory.EnumerateFiles(cache._folder, $"{Pattern}.*.tmp").Where(file => DateTime.UtcNow - File.GetLastWriteTimeUtc(file) > s_abandoned))
                File.Delete(file);
            foreach (string file in Directory.EnumerateFiles(cache._folder, Pattern).Order(StringComparer.Ordinal))
                cache.AddShard(file, log);
            return cache;
        }
        catch (Exception e)
        {
            cache.Dispose();
            if (e is IOException or UnauthorizedAccessException)
                throw new SoraException($"The latents in '{cache._folder}' cannot be opened: {e.Message}", e);
            throw;
        }
    }

    /// <summary>Whether there are latents of a clip.</summary>
    public bool Contains(string key) => _latents.ContainsKey(key) || _pending.ContainsKey(key);

    /// <summary>The shape [z, t, h, w] of a clip's latents.</summary>
    /// <exception cref="KeyNotFoundException">There are none.</exception>
    public IReadOnlyList<long> ShapeOf(string key) => _latents[key].Entry.Shape;

    /// <summary>Reads a clip's latents [z, t, h, w], float32, normalised.</summary>
    /// <exception cref="KeyNotFoundException">There are none, or they are not written yet.</exception>
    public Tensor Read(string key)
    {
        (SafetensorsFile shard, SafetensorsEntry entry) = _latents[key];
        Tensor latents = empty(entry.Shape);
        shard.Bytes(entry).CopyTo(latents.bytes);
        return latents;
    }

    /// <summary>Adds a clip's latents [z, t, h, w]; they are written when a shard is full, or by <see cref="Flush"/>.</summary>
    /// <exception cref="SoraException">A shard cannot be written; what was written before stays.</exception>
    public void Add(string key, Tensor latents)
    {
        ArgumentNullException.ThrowIfNull(latents);
        Layers.Shape.Require(latents, "z t h w");
        SafetensorsContent content = TrainingState.ContentOf(key, latents, float32);
        _pending[key] = content;
        _pendingBytes += content.ByteLength;
        if (_pendingBytes >= ShardBytes)
            Flush();
    }

    /// <summary>Writes what was added since the last shard.</summary>
    /// <exception cref="SoraException">The shard cannot be written, as on a full disk; nothing of it is left.</exception>
    public void Flush()
    {
        if (_pending.Count == 0)
            return;
        // Named by what is in it: two processes that encode the same clips write the same file.
        string keys = string.Concat(_pending.Keys.Order(StringComparer.Ordinal));
        string name = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(keys)).AsSpan(0, 8));
        string path = Path.Combine(_folder, Pattern.Replace("*", name, StringComparison.Ordinal));
        WriteShard(path, _pending.Values);
        _pending.Clear();
        _pendingBytes = 0;
        AddShard(path, message => throw new SoraException(message));
    }

    /// <summary>Unmaps the shards. What was not flushed is lost.</summary>
    public void Dispose()
    {
        foreach (SafetensorsFile shard in _shards)
            shard.Dispose();
        _shards.Clear();
        _latents.Clear();
    }

    private void AddShard(string path, Action<string> damaged)
    {
        SafetensorsFile shard;
        try
        {
            shard = SafetensorsFile.Open(path);
        }
        // One that cannot be opened, of another user or when too many are, is not damaged.
        catch (SoraException e) when (e.InnerException is not (IOException or UnauthorizedAccessException))
        {
            damaged($"a shard of latents is damaged, its clips are encoded again: {e.Message}");
            File.Delete(path);
            return;
        }
        _shards.Add(shard);
        foreach ((string key, SafetensorsEntry entry) in shard.Entries)
        {
            if (entry.Type == SafetensorsType.F32 && entry.Shape.Length == 4)
                _latents[key] = (shard, entry);
        }
    }
}
