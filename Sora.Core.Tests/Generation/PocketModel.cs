namespace Sora.Tests.Generation;

/// <summary>The model that the repository brings, for what random weights cannot show.</summary>
internal static class PocketModel
{
    /// <summary><c>models/pocket</c> in a folder above the tests.</summary>
    public static string Folder { get; } = Find();

    private static string Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            string model = Path.Combine(folder.FullName, "models", "pocket");
            if (Directory.Exists(model))
                return model;
        }
        throw new DirectoryNotFoundException($"There is no models/pocket above {AppContext.BaseDirectory}.");
    }
}
