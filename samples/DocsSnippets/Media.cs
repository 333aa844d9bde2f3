using Sora.Frames;

namespace Sora.DocsSnippets;

internal static class Media
{
    public static void Read()
    {
        VideoInfo info = VideoReader.Probe("clip.mp4");
        Console.WriteLine($"{info.Width}x{info.Height} at {info.FrameRate}");

        var options = new VideoReadOptions { Width = 832, Height = 480, Fit = FrameFit.Crop, FrameRate = 16, MaxFrames = 81 };
        foreach (VideoFrame frame in VideoReader.Read("clip.mp4", options))
            Console.WriteLine(frame.Timestamp);
        VideoFrame picture = ImageReader.Read("photo.jpg", new VideoReadOptions { Width = 832, Height = 480, Fit = FrameFit.Pad });
    }

    public static void Write(IEnumerable<VideoFrame> frames)
    {
        VideoWriter.CheckOutput("clip.webm", frameCount: 17, framesPerSecond: 8); // before the long work
        using var writer = new VideoWriter("clip.webm", width: 64, height: 64, framesPerSecond: 8);
        foreach (VideoFrame frame in frames)
            writer.Write(frame);
        writer.Complete(); // now the file is there
    }

    public static byte[] Rgba(VideoFrame frame)
    {
        byte[] rgba = [.. frame.Rgb.ToArray().Chunk(3).SelectMany(pixel => (byte[])[.. pixel, 255])];
        return rgba;
    }
}
