using Sora.Frames;
using Xunit;

namespace Sora.Tests.Frames;

/// <summary>A smooth moving picture, and how near another is to it.</summary>
internal static class TestClip
{
    /// <summary>Colour gradients that drift to the right; no two of the first hundred frames are equal.</summary>
    public static byte[] Frame(int index, int width, int height)
    {
        var rgb = new byte[width * height * 3];
        for (int y = 0; y < height; y++)
        {
            for (int x = 0; x < width; x++)
            {
                int at = ((y * width) + x) * 3;
                double phase = (x - (2 * index)) * 2 * Math.PI / 64;
                rgb[at] = (byte)(128 + (100 * Math.Sin(phase)));
                rgb[at + 1] = (byte)(30 + (200 * y / Math.Max(1, height - 1)));
                rgb[at + 2] = (byte)(128 + (100 * Math.Cos(phase / 2)));
            }
        }

        return rgb;
    }

    public static void Write(
        string path, int width, int height, int count, FrameRate? rate = null, VideoWriterOptions? options = null)
    {
        using var writer = new VideoWriter(path, width, height, rate ?? 8, options);
        for (int i = 0; i < count; i++)
        {
            writer.Write(Frame(i, width, height));
        }

        writer.Complete();
    }

    /// <summary>One colour everywhere.</summary>
    public static byte[] Solid(int width, int height, byte red, byte green, byte blue)
    {
        var rgb = new byte[width * height * 3];
        for (int i = 0; i < rgb.Length; i += 3)
        {
            (rgb[i], rgb[i + 1], rgb[i + 2]) = (red, green, blue);
        }

        return rgb;
    }

    /// <summary>Peak signal-to-noise ratio in decibels; infinite for equal pictures.</summary>
    public static double Psnr(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b)
    {
        Assert.Equal(a.Length, b.Length);
        double sum = 0;
        for (int i = 0; i < a.Length; i++)
        {
            double difference = a[i] - b[i];
            sum += difference * difference;
        }

        return 10 * Math.Log10(255.0 * 255.0 * a.Length / sum);
    }

    /// <summary>The colour at a pixel.</summary>
    public static (byte R, byte G, byte B) At(VideoFrame frame, int x, int y)
    {
        ReadOnlySpan<byte> pixel = frame.Rgb.Span.Slice(((y * frame.Width) + x) * 3, 3);
        return (pixel[0], pixel[1], pixel[2]);
    }

    /// <summary>Whether each channel is within <paramref name="tolerance"/>.</summary>
    public static void AssertNear((int R, int G, int B) expected, (byte R, byte G, byte B) actual, int tolerance) =>
        Assert.True(
            Math.Abs(expected.R - actual.R) <= tolerance && Math.Abs(expected.G - actual.G) <= tolerance
                && Math.Abs(expected.B - actual.B) <= tolerance,
            $"{actual} is not {expected} ± {tolerance}");
}
