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
}
