using System.Numerics;

namespace Sora.Training.SpriteWorld;

/// <summary>A picture with transparency, cropped to what is visible. Colours are premultiplied by alpha.</summary>
public sealed class Sprite
{
    /// <summary>Width in pixels.</summary>
    public int Width { get; }

    /// <summary>Height in pixels.</summary>
    public int Height { get; }

    /// <summary>[Height, Width] of (red, green, blue, alpha), 0..1, colours premultiplied.</summary>
    internal Vector4[] Pixels { get; }

    internal Sprite(int width, int height, Vector4[] pixels)
    {
        Width = width;
        Height = height;
        Pixels = pixels;
    }

    /// <summary>Makes a sprite of 8 bit pixels, cropped to those that are not transparent.</summary>
    /// <param name="width">Width in pixels.</param>
    /// <param name="height">Height in pixels.</param>
    /// <param name="rgba">[height, width, 4], not premultiplied.</param>
    /// <exception cref="ArgumentException">The sizes do not agree, or all pixels are transparent.</exception>
    public static Sprite FromRgba(int width, int height, ReadOnlySpan<byte> rgba)
    {
        if (rgba.Length != width * height * 4)
            throw new ArgumentException($"{rgba.Length} bytes are not [{height}, {width}, 4].", nameof(rgba));

        var pixels = new Vector4[width * height];
        for (int i = 0; i < pixels.Length; i++)
        {
            var pixel = new Vector4(rgba[4 * i], rgba[(4 * i) + 1], rgba[(4 * i) + 2], 255f) / 255f;
            pixels[i] = pixel * (rgba[(4 * i) + 3] / 255f);
        }

        return new Sprite(width, height, pixels).Cropped();
    }

    /// <summary>The sprite mirrored left to right.</summary>
    internal Sprite Mirrored()
    {
        var mirrored = (Vector4[])Pixels.Clone();
        for (int y = 0; y < Height; y++)
            Array.Reverse(mirrored, y * Width, Width);
        return new Sprite(Width, Height, mirrored);
    }

    /// <summary>The sprite turned clockwise around its centre, on a canvas that it fits in.</summary>
    internal Sprite Turned(float degrees)
    {
        (float sin, float cos) = MathF.SinCos(degrees * MathF.PI / 180f);
        int size = (int)MathF.Ceiling(MathF.Sqrt((Width * Width) + (Height * Height))) + 2;
        var pixels = new Vector4[size * size];
        for (int y = 0; y < size; y++)
        {
            for (int x = 0; x < size; x++)
            {
                float dx = x + 0.5f - (size / 2f), dy = y + 0.5f - (size / 2f);
                float ownX = (cos * dx) + (sin * dy), ownY = (cos * dy) - (sin * dx);
                pixels[(y * size) + x] = Bilinear(ownX + (Width / 2f), ownY + (Height / 2f));
            }
        }

        return new Sprite(size, size, pixels);
    }

    /// <summary>The sprite in black: drawn over white it leaves what it does not cover.</summary>
    internal Sprite Silhouette() => new(Width, Height, Array.ConvertAll(Pixels, pixel => new Vector4(0, 0, 0, pixel.W)));

    /// <summary>Without the transparent rows and columns around it.</summary>
    internal Sprite Cropped()
    {
        int left = Width, right = -1, top = Height, bottom = -1;
        for (int y = 0; y < Height; y++)
        {
            for (int x = 0; x < Width; x++)
            {
                if (Pixels[(y * Width) + x].W < 0.05f)
                    continue;
                (left, right) = (Math.Min(left, x), Math.Max(right, x));
                (top, bottom) = (Math.Min(top, y), Math.Max(bottom, y));
            }
        }

        if (right < 0)
            throw new ArgumentException("All pixels of the sprite are transparent.");

        int width = right - left + 1, height = bottom - top + 1;
        var pixels = new Vector4[width * height];
        for (int y = 0; y < height; y++)
            Array.Copy(Pixels, ((y + top) * Width) + left, pixels, y * width, width);
        return new Sprite(width, height, pixels);
    }

    /// <summary>The pixel at a position in pixels (pixel centres at .5), transparent outside.</summary>
    internal Vector4 Bilinear(float x, float y)
    {
        int x0 = (int)MathF.Floor(x - 0.5f), y0 = (int)MathF.Floor(y - 0.5f);
        float fx = x - 0.5f - x0, fy = y - 0.5f - y0;
        return Vector4.Lerp(
            Vector4.Lerp(At(x0, y0), At(x0 + 1, y0), fx),
            Vector4.Lerp(At(x0, y0 + 1), At(x0 + 1, y0 + 1), fx),
            fy);
    }

    private Vector4 At(int x, int y) =>
        (uint)x < (uint)Width && (uint)y < (uint)Height ? Pixels[(y * Width) + x] : Vector4.Zero;
}
