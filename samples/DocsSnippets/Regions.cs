using Sora.Drafts;
using Sora.Frames;
using Sora.Regions;

namespace Sora.DocsSnippets;

internal static class Regions
{
    public static async Task Change(VideoGenerator generator)
    {
        VideoFrame[] frames = [.. VideoReader.Read("fish.mp4")];
        var edit = new VideoRequest("a green ball in the deep sea")
        {
            Source = [.. frames],                                        // 4n + 1 frames
            Mask = [FrameMask.From(ImageReader.Read("mask.png"))],       // one for all frames, or one for each
        };
        await using GeneratedVideo edited = await generator.GenerateAsync(edit);
        await edited.SaveAsync("edited.mp4");

        var canvas = new VideoOutpainting([.. frames], 112, 64) { Position = CanvasPosition.Left };
        await foreach (VideoFrame frame in canvas.StreamAsync(generator, new VideoRequest("a red fish in the deep sea")))
            Console.WriteLine($"{frame.Width}x{frame.Height}");
    }

    public static async Task Draft(VideoGenerator generator)
    {
        var request = new VideoRequest("a red fish swims left in the deep sea") { Width = 96, Height = 96, Seed = 7, Draft = 0.5 };
        await using GeneratedVideo draft = await generator.GenerateAsync(DraftedRequest.DraftOf(request, generator.Limits)); // to look at
        await using GeneratedVideo video = await generator.GenerateAsync(request);
    }
}
