namespace Sora.Frames;

/// <summary>
/// Which pixels of a frame are changed, and how far: 255 (white) changed, 0 (black) kept, values between a mixture of both.
/// </summary>
/// <remarks>
/// Immutable as long as the memory it was made from is left alone: the constructor does not copy.
/// </remarks>
public sealed class FrameMask
{
    // Compressed video does not bring pure black and white back: what is this near to them is taken for them.
    private const int Black = 16, White = 239;

    private readonly Lazy<bool> _changes;

    /// <summary>Wraps a mask's values, without a copy.</summary>
    /// <param name="width">Width in pixels, at least 1.</param>
    /// <param name="height">Height in pixels, at least 1.</param>
    /// <param name="values">Exactly <c>width * height</c> bytes, row by row.</param>
    /// <exception cref="ArgumentOutOfRangeException">An empty size.</exception>
    /// <exception cref="ArgumentException"><paramref name="values"/> does not have the size's length.</exception>
    public FrameMask(int width, int height, ReadOnlyMemory<byte> values)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(height);
        if (values.Length != (long)width * height)
            throw new ArgumentException($"A mask of {width}x{height} has {(long)width * height} values, not {values.Length}.", nameof(values));
        (Width, Height, Values) = (width, height, values);
        _changes = new(() => Values.Span.ContainsAnyExcept((byte)0));
    }

    /// <summary>Width in pixels.</summary>
    public int Width { get; }

    /// <summary>Height in pixels.</summary>
    public int Height { get; }

    /// <summary>How far each pixel is changed, 0 to 255, row by row.</summary>
    public ReadOnlyMemory<byte> Values { get; }

    /// <summary>Whether any pixel is changed.</summary>
    public bool ChangesAnything => _changes.Value;

    /// <summary>The mask that a picture shows.</summary>
    /// <remarks>
    /// Its brightness (BT.601: 0.299·R + 0.587·G + 0.114·B), of which up to 16 is black and 239 and above is white: mp4 and
    /// jpg leave a little of either. Between them the values are spread over 0 to 255.
    /// </remarks>
    /// <param name="picture">The picture.</param>
    public static FrameMask From(VideoFrame picture)
    {
        ArgumentNullException.ThrowIfNull(picture);
        ReadOnlySpan<byte> rgb = picture.Rgb.Span;
        var values = new byte[picture.Width * picture.Height];
        for (int i = 0; i < values.Length; i++)
        {
            int brightness = ((299 * rgb[3 * i]) + (587 * rgb[(3 * i) + 1]) + (114 * rgb[(3 * i) + 2]) + 500) / 1000;
            values[i] = (byte)Math.Clamp(((brightness - Black) * 255 + ((White - Black) / 2)) / (White - Black), 0, 255);
        }
        return new(picture.Width, picture.Height, values);
    }
}
