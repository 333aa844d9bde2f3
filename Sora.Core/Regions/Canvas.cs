using Sora.Frames;

namespace Sora.Regions;

/// <summary>A larger picture around given ones, all of one size.</summary>
/// <param name="Width">Its width.</param>
/// <param name="Height">Its height.</param>
/// <param name="Given">The size of the given pictures; at most as large.</param>
/// <param name="Position">Where they lie.</param>
internal readonly record struct Canvas(int Width, int Height, PixelSize Given, CanvasPosition Position)
{
    /// <summary>The first column of the given pictures.</summary>
    public int Left => Position switch
    {
        CanvasPosition.Left or CanvasPosition.TopLeft or CanvasPosition.BottomLeft => 0,
        CanvasPosition.Right or CanvasPosition.TopRight or CanvasPosition.BottomRight => Width - Given.Width,
        _ => (Width - Given.Width) / 2,
    };

    /// <summary>The first row of the given pictures.</summary>
    public int Top => Position switch
    {
        CanvasPosition.Top or CanvasPosition.TopLeft or CanvasPosition.TopRight => 0,
        CanvasPosition.Bottom or CanvasPosition.BottomLeft or CanvasPosition.BottomRight => Height - Given.Height,
        _ => (Height - Given.Height) / 2,
    };

    /// <summary>
    /// A given picture on the canvas; what lies outside repeats its nearest pixel, so that the autoencoder sees no edge where
    /// the picture ends.
    /// </summary>
    public VideoFrame Lay(VideoFrame picture)
    {
        var pixels = new byte[3 * Width * Height];
        ReadOnlySpan<byte> source = picture.Rgb.Span;
        for (int y = 0; y < Height; y++)
        {
            int row = Math.Clamp(y - Top, 0, Given.Height - 1) * Given.Width;
            for (int x = 0; x < Width; x++)
            {
                int column = Math.Clamp(x - Left, 0, Given.Width - 1);
                source.Slice(3 * (row + column), 3).CopyTo(pixels.AsSpan(3 * ((y * Width) + x), 3));
            }
        }
        return new(picture.Index, Width, Height, pixels, picture.Timestamp);
    }

    /// <summary>The mask that changes everything but the given pictures.</summary>
    public FrameMask Outside()
    {
        var values = new byte[Width * Height];
        Array.Fill(values, (byte)255);
        for (int y = 0; y < Given.Height; y++)
            values.AsSpan(((Top + y) * Width) + Left, Given.Width).Clear();
        return new(Width, Height, values);
    }
}
