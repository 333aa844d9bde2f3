namespace Sora.Bench;

/// <summary>A video that is drawn by a formula: a disc before a gradient, moving to the right. Nothing in it repeats from tile to tile.</summary>
internal static class DrawnPicture
{
    /// <summary>[1, 3, T, H, W] in [−1, 1].</summary>
    public static Tensor Create(int frames, int height, int width)
    {
        var values = new float[3 * frames * height * width];
        for (int i = 0; i < values.Length; i++)
        {
            int x = i % width, y = i / width % height, t = i / (width * height) % frames, c = i / (width * height * frames);
            double dx = x - (0.3 * width) - (6 * t), dy = y - (0.5 * height);
            bool inside = (dx * dx) + (dy * dy) < 0.06 * height * height;
            values[i] = (float)(inside ? 0.8 - (0.6 * c) : Math.Sin((x / 70.0) + c) * Math.Cos(y / 90.0) * 0.7);
        }
        return tensor(values, [1, 3, frames, height, width]);
    }
}
