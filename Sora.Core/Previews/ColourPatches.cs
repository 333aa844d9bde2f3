using Sora.Frames;
using Sora.Latents;

namespace Sora.Previews;

/// <summary>Drawn pictures of many colours: a gradient from corner to corner and rectangles over it.</summary>
internal static class ColourPatches
{
    private const int Rectangles = 6;

    /// <summary>A square picture; the same number gives the same picture.</summary>
    /// <param name="number">Which picture.</param>
    /// <param name="side">Its side in pixels.</param>
    public static VideoFrame Draw(int number, int side)
    {
        var random = new GaussianNoise((ulong)number, "colour patches");
        ulong drawn = 0;
        double Next() => random.Uniform(drawn++);
        double[] from = [Next(), Next(), Next()], along = [Next(), Next(), Next()], down = [Next(), Next(), Next()];
        var rgb = new byte[3 * side * side];
        for (int i = 0; i < rgb.Length; i++)
        {
            int c = i % 3;
            double x = i / 3 % side / (double)side, y = i / 3 / side / (double)side;
            rgb[i] = (byte)(255 * Math.Clamp(from[c] + ((along[c] - from[c]) * x) + ((down[c] - from[c]) * y), 0, 1));
        }
        for (int rectangle = 0; rectangle < Rectangles; rectangle++)
        {
            int left = (int)(Next() * side), top = (int)(Next() * side), width = (int)(Next() * side / 2), height = (int)(Next() * side / 2);
            byte[] colour = [(byte)(255 * Next()), (byte)(255 * Next()), (byte)(255 * Next())];
            for (int y = top; y < Math.Min(top + height, side); y++)
            {
                for (int x = left; x < Math.Min(left + width, side); x++)
                    colour.CopyTo(rgb, 3 * ((y * side) + x));
            }
        }
        return new VideoFrame(0, side, side, rgb, TimeSpan.Zero);
    }
}
