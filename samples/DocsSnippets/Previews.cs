using Sora.Frames;

namespace Sora.DocsSnippets;

internal static class Previews
{
    public static async Task Show(VideoRequest request, Action<VideoFrame> show)
    {
        using VideoGenerator generator = await VideoGenerator.LoadAsync("models/pocket", new VideoGeneratorOptions { PreviewEvery = 2 });
        var progress = new Progress<GenerationProgress>(p =>
        {
            foreach (VideoFrame preview in p.Previews)
                show(preview);
        });
        await using GeneratedVideo video = await generator.GenerateAsync(request, progress);
    }
}
