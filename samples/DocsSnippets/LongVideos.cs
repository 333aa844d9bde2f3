using Sora.Frames;
using Sora.Storyboards;

namespace Sora.DocsSnippets;

internal static class LongVideos
{
    public static async Task Stream(VideoGenerator generator)
    {
        var request = new VideoRequest("A red fish swims left in the deep sea")
        {
            FrameCount = 481, // a minute at 8 frames a second
            LaterPrompts = [new TimedPrompt(241, "A blue fish swims right in the deep sea")],
        };
        VideoRequest filled = request.Resolve(generator.Limits);
        using var writer = new VideoWriter("fish.mp4", filled.Width!.Value, filled.Height!.Value, filled.FramesPerSecond!.Value);
        await foreach (VideoFrame frame in generator.StreamAsync(filled))
            writer.Write(frame);
        await writer.CompleteAsync();
    }

    public static async Task Tell(VideoGenerator generator)
    {
        Storyboard board = Storyboard.Load("board.json");
        await foreach (VideoFrame frame in board.StreamAsync(generator))
            Console.WriteLine($"frame {frame.Index} at {frame.Timestamp}");
    }
}
