namespace Sora.DocsSnippets;

internal static class FewSteps
{
    public static async Task Without()
    {
        var options = new VideoGeneratorOptions { FewSteps = false };
        using VideoGenerator generator = await VideoGenerator.LoadAsync("models/pocket", options);
    }
}
