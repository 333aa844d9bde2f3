namespace Sora.Weights;

/// <summary>Writes the weights of one network as diffusers and transformers do: one file, or shards with an index.</summary>
internal static class ShardedWeights
{
    /// <summary>What a shard holds at most, unless one tensor is larger (the default of save_pretrained).</summary>
    public const long ShardBytes = 5_000_000_000;

    /// <summary>Writes the files, tensor by tensor.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="name">The name without ending: <c>diffusion_pytorch_model</c> or <c>model</c>.</param>
    /// <param name="tensors">The tensors.</param>
    /// <param name="shardBytes">What a shard holds at most.</param>
    /// <exception cref="SoraException">A file cannot be written.</exception>
    public static void Write(string folder, string name, IEnumerable<SafetensorsContent> tensors, long shardBytes = ShardBytes)
    {
        List<List<SafetensorsContent>> shards = Share([.. tensors.OrderBy(tensor => tensor.Name, StringComparer.Ordinal)], shardBytes);
        if (shards is [var only])
        {
            SafetensorsWriter.Write(Path.Combine(folder, $"{name}.safetensors"), only);
            return;
        }
        var index = new SortedDictionary<string, object?>(StringComparer.Ordinal);
        for (int i = 0; i < shards.Count; i++)
        {
            string file = $"{name}-{i + 1:D5}-of-{shards.Count:D5}.safetensors";
            SafetensorsWriter.Write(Path.Combine(folder, file), shards[i]);
            foreach (SafetensorsContent tensor in shards[i])
                index.Add(tensor.Name, file);
        }
        long total = shards.Sum(shard => shard.Sum(tensor => tensor.ByteLength));
        byte[] text = System.Text.Encoding.UTF8.GetBytes(PythonJson.Format(new SortedDictionary<string, object?>(StringComparer.Ordinal)
        {
            ["metadata"] = new SortedDictionary<string, object?>(StringComparer.Ordinal) { ["total_size"] = total },
            ["weight_map"] = index,
        }));
        AtomicFile.Write(Path.Combine(folder, $"{name}.safetensors.index.json"), text.Length, stream => stream.Write(text));
    }

    private static List<List<SafetensorsContent>> Share(SafetensorsContent[] tensors, long shardBytes)
    {
        var shards = new List<List<SafetensorsContent>> { new() };
        long length = 0;
        foreach (SafetensorsContent tensor in tensors)
        {
            if (length > 0 && length + tensor.ByteLength > shardBytes)
            {
                shards.Add([]);
                length = 0;
            }
            shards[^1].Add(tensor);
            length += tensor.ByteLength;
        }
        return shards;
    }
}
