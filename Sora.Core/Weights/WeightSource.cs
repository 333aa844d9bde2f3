namespace Sora.Weights;

/// <summary>Opens weights of any format, which the first bytes of a file tell.</summary>
internal static class WeightSource
{
    /// <summary>The endings of files that may hold weights.</summary>
    public static IReadOnlyList<string> Extensions { get; } = [".safetensors", ".gguf", ".pth", ".pt", ".bin"];

    /// <summary>Opens a file, an index of shards, or a folder as <see cref="WeightFiles.Open"/> does.</summary>
    /// <exception cref="SoraException">The files are missing, damaged, or of no format that Sora reads.</exception>
    public static WeightStore Open(string path)
    {
        if (!File.Exists(path))
            return SafetensorsStore.Open(path);
        return Magic(path) switch
        {
            [(byte)'G', (byte)'G', (byte)'U', (byte)'F'] => GgufStore.Open(path),
            [(byte)'P', (byte)'K', ..] or [0x80, ..] => PickledStore.Open(path),
            _ => SafetensorsStore.Open(path),
        };
    }

    private static byte[] Magic(string path)
    {
        try
        {
            using FileStream file = File.OpenRead(path);
            byte[] magic = new byte[4];
            int length = file.ReadAtLeast(magic, magic.Length, throwOnEndOfStream: false);
            return magic[..length];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw new SoraException($"{path}: cannot be read: {e.Message}", e);
        }
    }
}
