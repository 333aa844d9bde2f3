namespace Sora.Training.Data;

/// <summary>The size at which a file is trained on: its own, as far as strides and the greatest area allow.</summary>
internal static class NativeSize
{
    /// <summary>
    /// Scales down, never up, until the area is at most the limit; rounds each side to the nearest multiple of the stride; and
    /// where rounding went above the limit takes a stride from the side that changes the aspect ratio less. What the rounding
    /// changes of the shape is cut off, less than one stride; nothing is distorted. Null where a side is shorter than a stride.
    /// </summary>
    public static (int Width, int Height)? Of(int width, int height, int stride, long mostArea)
    {
        double scale = Math.Min(1, Math.Sqrt(mostArea / ((double)width * height)));
        if (Math.Min(width, height) * scale < stride)
            return null;
        double aspect = width / (double)height;
        long w = (long)Math.Round(width * scale / stride), h = (long)Math.Round(height * scale / stride);
        while (w * h * stride * stride > mostArea && (w > 1 || h > 1))
        {
            double narrower = Distance((w - 1) / (double)h), lower = h > 1 ? Distance(w / (double)(h - 1)) : double.PositiveInfinity;
            (w, h) = w > 1 && narrower <= lower ? (w - 1, h) : (w, h - 1);
        }
        return ((int)w * stride, (int)h * stride);

        double Distance(double other) => other <= 0 ? double.PositiveInfinity : Math.Abs(Math.Log(other / aspect));
    }
}
