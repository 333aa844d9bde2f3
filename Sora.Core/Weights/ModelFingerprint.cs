using System.Security.Cryptography;

namespace Sora.Weights;

/// <summary>
/// Tells one model's files from another's: SHA-256 over the names, lengths and contents of the networks' files, the
/// tokenizer, the schedule and the LoRA for few steps where it is in use, of large files samples (<see cref="FileHash"/>).
/// </summary>
internal static class ModelFingerprint
{
    /// <summary>Sixteen hexadecimal digits.</summary>
    /// <param name="model">The model.</param>
    /// <param name="fewSteps">Whether its LoRA for few steps is in use.</param>
    /// <param name="cancellationToken">Stops within a megabyte.</param>
    /// <exception cref="SoraException">A file cannot be read.</exception>
    public static string Of(ModelFolder model, bool fewSteps, CancellationToken cancellationToken = default)
    {
        try
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            foreach ((string part, NetworkFiles network) in model.Networks.OrderBy(network => network.Key, StringComparer.Ordinal))
            {
                foreach (string file in FilesOf(network))
                    FileHash.Add(hash, $"{part}/{Path.GetFileName(file)}", file, cancellationToken);
            }
            hash.AppendData(model.ReadSentencePiece());
            string schedule = Path.Combine(model.Path, "scheduler", "scheduler_config.json");
            if (File.Exists(schedule))
                FileHash.Add(hash, "scheduler", schedule, cancellationToken);
            if (fewSteps)
                FileHash.Add(hash, "few_steps", model.RequireFewStepsLora(), cancellationToken);
            return Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, 8));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SoraException($"The model {model.Path} cannot be read: {e.Message}", e);
        }
    }

    /// <summary>Sixteen hexadecimal digits for one component: its config and its weights.</summary>
    /// <exception cref="SoraException">The folder has no config, or a file cannot be read.</exception>
    public static string OfComponent(string folder)
    {
        string config = Path.Combine(folder, "config.json");
        if (!File.Exists(config))
            throw new SoraException($"{config} is missing; '{folder}' is no component of a model.");
        try
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            foreach (string file in Directory.EnumerateFiles(folder, "*.safetensors").Order(StringComparer.Ordinal).Prepend(config))
                FileHash.Add(hash, Path.GetFileName(file), file);
            return Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, 8));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SoraException($"The component {folder} cannot be read: {e.Message}", e);
        }
    }

    private static IEnumerable<string> FilesOf(NetworkFiles network)
    {
        string config = Path.Combine(Directory.Exists(network.Path) ? network.Path : Path.GetDirectoryName(network.Path)!, "config.json");
        return File.Exists(config) ? [config, .. network.Files] : network.Files;
    }
}
