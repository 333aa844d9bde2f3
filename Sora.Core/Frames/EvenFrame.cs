namespace Sora.Frames;

/// <summary>Makes frames even in width and height by repeating the last column and row where they are odd.</summary>
/// <remarks>
/// For 4:2:0 video. The alternatives lose pixels (cutting) or change all of them (scaling).
/// </remarks>
internal sealed class EvenFrame(int width, int height)
{
    private readonly byte[] frame =
        width % 2 == 0 && height % 2 == 0 ? [] : new byte[(width + (width % 2)) * (height + (height % 2)) * 3];

    /// <summary>Width of the result.</summary>
    public int Width { get; } = width + (width % 2);

    /// <summary>Height of the result.</summary>
    public int Height { get; } = height + (height % 2);

    /// <summary>The frame in its even size; valid until the next call.</summary>
    /// <param name="rgb">RGB24 in the size given to the constructor.</param>
    public ReadOnlySpan<byte> From(ReadOnlySpan<byte> rgb)
    {
        if (Width == width && Height == height)
        {
            return rgb;
        }

        int row = width * 3;
        int evenRow = Width * 3;
        Span<byte> even = frame;
        for (int y = 0; y < Height; y++)
        {
            ReadOnlySpan<byte> source = rgb.Slice(Math.Min(y, height - 1) * row, row);
            Span<byte> target = even.Slice(y * evenRow, evenRow);
            source.CopyTo(target);
            source[^3..].CopyTo(target[^3..]);
        }

        return even;
    }
}
