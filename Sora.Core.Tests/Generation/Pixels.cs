using Sora.Frames;

namespace Sora.Tests.Generation;

/// <summary>The bytes of whole videos, for comparisons.</summary>
internal static class Pixels
{
    public static async Task<byte[]> OfAsync(VideoGenerator generator, VideoRequest request)
    {
        await using GeneratedVideo video = await generator.GenerateAsync(request);
        return Of(video.Frames);
    }

    public static byte[] Of(IEnumerable<VideoFrame> frames) => [.. frames.SelectMany(frame => frame.Rgb.ToArray())];

    /// <summary>The pictures of a folder, read together: one after the other they take longer than the video took to make.</summary>
    public static VideoFrame[] OfFolder(string folder)
    {
        string[] files = [.. Directory.EnumerateFiles(folder).Order(StringComparer.Ordinal)];
        return [.. PictureStack.Read(files).Select((picture, i) =>
            new VideoFrame(i, picture.Width, picture.Height, picture.Rgba.Where((_, at) => at % 4 != 3).ToArray(), TimeSpan.Zero))];
    }
}
