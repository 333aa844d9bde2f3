using System.Numerics;

namespace Sora.Training.SpriteWorld.Analysis;

/// <summary>The frames of a video at the resolution that they are analysed in.</summary>
internal sealed class FrameStack
{
    private FrameStack(int width, int height, Vector3[][] frames)
    {
        Width = width;
        Height = height;
        Frames = frames;
    }

    public int Width { get; }

    public int Height { get; }

    /// <summary>[T][H · W] of (red, green, blue), 0..1.</summary>
    public Vector3[][] Frames { get; }

    public int ShortSide => Math.Min(Width, Height);

    /// <summary>Resizes by area so that the shorter side has a given length.</summary>
    /// <param name="rgb">[T, H, W, 3].</param>
    /// <param name="width">W.</param>
    /// <param name="height">H.</param>
    /// <param name="shortSide">The length in pixels.</param>
    public static FrameStack Of(ReadOnlySpan<byte> rgb, int width, int height, int shortSide)
    {
        int toWidth = Math.Max(1, (int)Math.Round((double)width * shortSide / Math.Min(width, height)));
        int toHeight = Math.Max(1, (int)Math.Round((double)height * shortSide / Math.Min(width, height)));
        var frames = new Vector3[rgb.Length / (width * height * 3)][];
        var narrow = new Vector3[height * toWidth];
        for (int t = 0; t < frames.Length; t++)
        {
            ReadOnlySpan<byte> frame = rgb.Slice(t * width * height * 3, width * height * 3);
            Array.Clear(narrow);
            for (int column = 0; column < toWidth; column++)
            {
                foreach ((int x, float weight) in Overlaps(column, toWidth, width))
                {
                    for (int y = 0; y < height; y++)
                    {
                        int at = ((y * width) + x) * 3;
                        var pixel = new Vector3(frame[at], frame[at + 1], frame[at + 2]);
                        narrow[(y * toWidth) + column] += pixel * (weight / 255f);
                    }
                }
            }

            frames[t] = new Vector3[toWidth * toHeight];
            for (int row = 0; row < toHeight; row++)
            {
                foreach ((int y, float weight) in Overlaps(row, toHeight, height))
                {
                    for (int column = 0; column < toWidth; column++)
                        frames[t][(row * toWidth) + column] += narrow[(y * toWidth) + column] * weight;
                }
            }
        }

        return new FrameStack(toWidth, toHeight, frames);
    }

    /// <summary>The source pixels that a target pixel covers, with the share of each.</summary>
    private static IEnumerable<(int Source, float Weight)> Overlaps(int target, int targets, int sources)
    {
        float step = (float)sources / targets, from = target * step, to = from + step;
        for (int source = (int)from; source < Math.Min((int)MathF.Ceiling(to), sources); source++)
        {
            float weight = (MathF.Min(to, source + 1) - MathF.Max(from, source)) / step;
            if (weight > 1e-4f)
                yield return (source, weight);
        }
    }
}
