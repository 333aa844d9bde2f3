namespace Sora.Frames;

/// <summary>
/// Bicubic resizing that averages over every source pixel when it makes a picture smaller, equal to Pillow's to the bit:
/// the models' image processors were made with it. Columns first, then rows; both round to 8 bits.
/// </summary>
/// <remarks>
/// The kernel is Keys' with a = −1/2 (Keys 1981, "Cubic convolution interpolation for digital image processing"):
/// (a+2)|x|³ − (a+3)|x|² + 1 up to 1, a|x|³ − 5a|x|² + 8a|x| − 4a up to 2; it is stretched by the scale where that is above 1.
/// </remarks>
internal static class BicubicResize
{
    // Pillow's arithmetic: weights with 22 binary places, so that 255 times their sum fits 32 bits.
    private const int Places = 22;

    /// <summary>A part of the resized frame; what lies outside is not computed.</summary>
    /// <param name="frame">The frame.</param>
    /// <param name="height">Rows of the whole resized frame.</param>
    /// <param name="width">Columns of the whole resized frame.</param>
    /// <param name="top">The part's first row.</param>
    /// <param name="left">The part's first column.</param>
    /// <param name="part">The part's size.</param>
    /// <returns>The part's pixels, RGB24.</returns>
    public static byte[] Apply(VideoFrame frame, long height, long width, long top, long left, PixelSize part)
    {
        Taps[] columns = TapsOf(frame.Width, width, left, part.Width), rows = TapsOf(frame.Height, height, top, part.Height);
        int firstRow = rows[0].First, rowCount = rows[^1].First + rows[^1].Weights.Length - firstRow;
        ReadOnlySpan<byte> source = frame.Rgb.Span;
        int stride = 3 * part.Width;
        var wide = new byte[rowCount * stride];
        for (int y = 0; y < rowCount; y++)
        {
            ReadOnlySpan<byte> line = source.Slice((firstRow + y) * 3 * frame.Width, 3 * frame.Width);
            Span<byte> target = wide.AsSpan(y * stride, stride);
            for (int i = 0; i < stride; i++)
                target[i] = Sum(columns[i / 3], line[((3 * columns[i / 3].First) + (i % 3))..], 3);
        }
        var pixels = new byte[part.Height * stride];
        for (int y = 0; y < part.Height; y++)
        {
            ReadOnlySpan<byte> lines = wide.AsSpan((rows[y].First - firstRow) * stride);
            for (int i = 0; i < stride; i++)
                pixels[(y * stride) + i] = Sum(rows[y], lines[i..], stride);
        }
        return pixels;
    }

    private static byte Sum(Taps taps, ReadOnlySpan<byte> values, int stride)
    {
        int sum = 1 << (Places - 1); // rounds to nearest
        for (int i = 0; i < taps.Weights.Length; i++)
            sum += taps.Weights[i] * values[i * stride];
        return (byte)Math.Clamp(sum >> Places, 0, 255);
    }

    /// <summary>What each of <paramref name="count"/> pixels reads, from the one numbered <paramref name="start"/> on.</summary>
    private static Taps[] TapsOf(int sourceLength, long length, long start, int count)
    {
        double scale = (double)sourceLength / length, stretch = Math.Max(scale, 1);
        var taps = new Taps[count];
        for (int i = 0; i < count; i++)
        {
            double centre = (start + i + 0.5) * scale, reach = 2 * stretch;
            int first = (int)Math.Max(centre - reach + 0.5, 0), end = (int)Math.Min(centre + reach + 0.5, sourceLength);
            double[] weights = [.. Enumerable.Range(first, end - first).Select(p => Kernel((p - centre + 0.5) * (1 / stretch)))];
            double sum = weights.Sum();
            taps[i] = new(first, [.. weights.Select(w => Fixed(w / sum))]);
        }
        return taps;
    }

    private static int Fixed(double weight) => (int)((weight * (1 << Places)) + Math.CopySign(0.5, weight));

    private static double Kernel(double x)
    {
        const double A = -0.5;
        x = Math.Abs(x);
        return x < 1 ? ((((A + 2) * x) - (A + 3)) * x * x) + 1
            : x < 2 ? (((((x - 5) * x) + 8) * x) - 4) * A
            : 0;
    }

    /// <summary>The source pixels that one pixel reads, and their weights.</summary>
    private readonly record struct Taps(int First, int[] Weights);
}
