namespace Sora.Bench;

/// <summary>Where things are in the repository.</summary>
internal static class Repository
{
    public static string Root { get; } = Find();

    /// <summary>The pocket model; null where it was not made yet.</summary>
    public static string? PocketModel => Existing("models/pocket");

    /// <summary>Its autoencoder, without the channels that its transformer draws for itself; null where it was not made yet.</summary>
    public static string? PocketAutoencoder => Existing("models/pocket-vae", "config.json");

    /// <summary>The tests' model of a few thousand random parameters.</summary>
    public static string TinyModel => Existing("Sora.Core.Tests/Fixtures/G_pipeline_t2v")
        ?? throw new InvalidOperationException("Sora.Core.Tests/Fixtures/G_pipeline_t2v is missing.");

    private static string? Existing(string path, string file = "model_index.json")
    {
        string folder = Path.Combine(Root, path);
        return File.Exists(Path.Combine(folder, file)) ? folder : null;
    }

    private static string Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "Sora.sln")))
                return folder.FullName;
        throw new InvalidOperationException($"There is no Sora.sln above {AppContext.BaseDirectory}.");
    }
}
