using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace Sora.Weights;

/// <summary>Which files hold the weights of one part of a model, found without opening them.</summary>
/// <param name="Files">The paths.</param>
/// <param name="Index">The index's path; null for a single file.</param>
/// <param name="ShardOf">The index's file name for each tensor; empty for a single file.</param>
internal sealed record WeightFileSet(
    IReadOnlyList<string> Files, string? Index, IReadOnlyDictionary<string, string> ShardOf)
{
    private const string Extension = ".safetensors";
    private const string IndexExtension = ".safetensors.index.json";

    /// <summary>The names that diffusers and transformers write.</summary>
    private static readonly string[] KnownNames =
    [
        "diffusion_pytorch_model.safetensors", "diffusion_pytorch_model.safetensors.index.json",
        "model.safetensors", "model.safetensors.index.json",
    ];

    public static WeightFileSet Find(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (File.Exists(path))
            return path.EndsWith(IndexExtension, StringComparison.Ordinal) ? FromIndex(path) : FromFile(path);
        if (!Directory.Exists(path))
            throw new SoraException($"{path}: there is no such folder.");
        string found = Choose(path);
        return found.EndsWith(IndexExtension, StringComparison.Ordinal) ? FromIndex(found) : FromFile(found);
    }

    /// <summary>Checks that every tensor of the index is in the file that the index names.</summary>
    /// <param name="pathOf">The path of the file that holds each tensor.</param>
    public void RequireNames(IReadOnlyDictionary<string, string> pathOf)
    {
        foreach ((string tensor, string shard) in ShardOf)
            if (!pathOf.TryGetValue(tensor, out string? path) || Path.GetFileName(path) != shard)
                throw new SoraException($"{Index}: tensor '{tensor}' is to be in {shard}, "
                    + (path is null ? "which does not have it." : $"but is in {Path.GetFileName(path)}."));
    }

    private static WeightFileSet FromFile(string file) => new([file], null, new Dictionary<string, string>());

    private static string Choose(string folder)
    {
        string[] names =
            [.. FolderContents.Files(folder).Select(file => Path.GetFileName(file))];
        string[] candidates = [.. names.Intersect(KnownNames)];
        if (candidates.Length == 0)
            candidates = [.. names.Where(name => name.EndsWith(IndexExtension, StringComparison.Ordinal))];
        if (candidates.Length == 0)
            candidates = [.. names.Where(name => name.EndsWith(Extension, StringComparison.Ordinal))];
        return candidates switch
        {
            [string only] => Path.Combine(folder, only),
            [] => throw new SoraException($"{folder}: no weights; looked for {string.Join(", ", KnownNames)}, "
                + $"found {ModelFolder.Listing(names)}."),
            _ => throw new SoraException(
                $"{folder}: {string.Join(" and ", candidates)} are both there; keep one of them."),
        };
    }

    private static WeightFileSet FromIndex(string index)
    {
        Dictionary<string, string> shardOf = ConfigFile.Load(index, ReadIndex);
        string folder = Path.GetDirectoryName(index)!;
        string[] shards = [.. shardOf.Values.Distinct().Order(StringComparer.Ordinal)];
        string[] missing = [.. shards.Where(shard => !File.Exists(Path.Combine(folder, shard)))];
        if (missing.Length > 0)
            throw new SoraException(
                $"{index}: {missing.Length} of {shards.Length} files are missing: {ModelFolder.Listing(missing)}.");
        return new WeightFileSet([.. shards.Select(shard => Path.Combine(folder, shard))], index, shardOf);
    }

    private static Dictionary<string, string> ReadIndex(ConfigFields fields)
    {
        if (fields.Find("weight_map") is not { ValueKind: JsonValueKind.Object } map)
            throw new SoraException("weight_map is missing; it says which file holds each tensor.");
        var shardOf = new Dictionary<string, string>();
        foreach (JsonProperty tensor in map.EnumerateObject())
        {
            string? shard = tensor.Value.ValueKind == JsonValueKind.String ? tensor.Value.GetString() : null;
            if (!IsFileName(shard))
                throw new SoraException(
                    $"weight_map['{tensor.Name}'] is {ConfigFields.Show(tensor.Value)}; allowed: the name of a file in the same folder.");
            shardOf[tensor.Name] = shard;
        }
        return shardOf.Count > 0 ? shardOf : throw new SoraException("weight_map is empty.");
    }

    /// <summary>Whether this is a file beside the index and nowhere else: an index must not reach for other files.</summary>
    private static bool IsFileName([NotNullWhen(true)] string? shard) =>
        !string.IsNullOrEmpty(shard) && shard is not ("." or "..") && shard.AsSpan().IndexOfAny("/\\\0") < 0;
}
