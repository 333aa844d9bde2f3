using Sora.Frames;

namespace Sora.Tests.Conditioning;

/// <summary>Frames that differ from each other.</summary>
internal static class TestFrames
{
    /// <summary>A gradient with a bright square whose place and colour follow from a number.</summary>
    public static VideoFrame Create(int number, int width = 32, int height = 32)
    {
        var rgb = new byte[width * height * 3];
        for (int y = 0; y < height; y++)
        {
            for (int x = 0; x < width; x++)
            {
                bool square = Math.Abs(x - ((number * 5) % width)) < 6 && Math.Abs(y - (height / 2)) < 6;
                Span<byte> pixel = rgb.AsSpan(((y * width) + x) * 3, 3);
                pixel[0] = (byte)(square ? 240 : (x * 4) + number);
                pixel[1] = (byte)(square ? (number * 40) % 256 : y * 4);
                pixel[2] = (byte)(square ? 30 : 128);
            }
        }
        return new VideoFrame(0, width, height, rgb, TimeSpan.Zero);
    }

    public static IReadOnlyList<VideoFrame> Video(int count, int width = 32, int height = 32) =>
        [.. Enumerable.Range(0, count).Select(i => Create(i, width, height))];
}
