namespace Sora.Cli;

/// <summary>Finds the model that is used when the command line names none.</summary>
internal static class DefaultModel
{
    /// <summary>Environment variable that names a model folder.</summary>
    public const string Variable = "SORA_MODEL";

    private const string EmbeddedFolder = "models/pocket";

    /// <summary>
    /// The folder that <see cref="Variable"/> names, else <c>models/pocket</c> beside the executable or in a folder above it.
    /// </summary>
    /// <exception cref="SoraException">There is neither.</exception>
    public static string Find()
    {
        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } named)
            return named;
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            string model = Path.Combine(folder.FullName, EmbeddedFolder);
            if (Directory.Exists(model))
                return model;
        }
        throw new SoraException(
            $"There is no {EmbeddedFolder} above {AppContext.BaseDirectory}; name a model folder with --model or {Variable}.");
    }
}
