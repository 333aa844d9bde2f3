using System.Security.Cryptography;
using System.Text;

namespace Sora.Weights;

/// <summary>
/// Tells one model's files from another's: SHA-256 over the names, lengths and contents of the networks' files, the
/// tokenizer and the schedule. Of a file above 64 MB sixteen evenly spread megabytes are read, so that a checkpoint of many
/// gigabytes takes no minutes.
/// </summary>
internal static class ModelFingerprint
{
    private const long WholeUpTo = 64_000_000;
    private const int Samples = 16;
    private const int SampleBytes = 1_000_000;

    /// <summary>Sixteen hexadecimal digits.</summary>
    /// <exception cref="SoraException">A file cannot be read.</exception>
    public static string Of(ModelFolder model)
    {
        try
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            foreach ((string part, NetworkFiles network) in model.Networks.OrderBy(network => network.Key, StringComparer.Ordinal))
            {
                foreach (string file in FilesOf(network))
                    AddFile(hash, $"{part}/{Path.GetFileName(file)}", file);
            }
            hash.AppendData(model.ReadSentencePiece());
            string schedule = Path.Combine(model.Path, "scheduler", "scheduler_config.json");
            if (File.Exists(schedule))
                AddFile(hash, "scheduler", schedule);
            return Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, 8));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SoraException($"The model {model.Path} cannot be read: {e.Message}", e);
        }
    }

    private static IEnumerable<string> FilesOf(NetworkFiles network)
    {
        string config = Path.Combine(network.Path, "config.json");
        return File.Exists(config) ? [config, .. network.Files] : network.Files;
    }

    private static void AddFile(IncrementalHash hash, string name, string path)
    {
        using FileStream file = File.OpenRead(path);
        hash.AppendData(Encoding.UTF8.GetBytes(FormattableString.Invariant($"{name}\0{file.Length}\0")));
        var buffer = new byte[SampleBytes];
        if (file.Length <= WholeUpTo)
        {
            for (int read; (read = file.Read(buffer)) > 0;)
                hash.AppendData(buffer, 0, read);
            return;
        }
        for (int i = 0; i < Samples; i++)
        {
            file.Position = (file.Length - SampleBytes) / (Samples - 1) * i;
            file.ReadExactly(buffer);
            hash.AppendData(buffer);
        }
    }
}
