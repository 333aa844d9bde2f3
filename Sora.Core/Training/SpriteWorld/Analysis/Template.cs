using System.Numerics;

namespace Sora.Training.SpriteWorld.Analysis;

/// <summary>A sprite at the size that it is searched for.</summary>
internal sealed class Template
{
    private Template(
        Subject subject, SubjectColour colour, float extent, (int X, int Y, Vector3 Colour, float Alpha)[] pixels)
    {
        Subject = subject;
        Colour = colour;
        Extent = extent;
        Pixels = pixels;
        Radius = pixels.Max(pixel => Math.Max(Math.Abs(pixel.X), Math.Abs(pixel.Y)));
    }

    public Subject Subject { get; }

    public SubjectColour Colour { get; }

    /// <summary>Its longer side as a fraction of the frame's shorter side.</summary>
    public float Extent { get; }

    /// <summary>The visible pixels: offset from the centre, premultiplied colour, alpha.</summary>
    public (int X, int Y, Vector3 Colour, float Alpha)[] Pixels { get; }

    /// <summary>The largest offset.</summary>
    public int Radius { get; }

    public static Template Of(Subject subject, SubjectColour colour, Sprite sprite, float extent, int shortSide)
    {
        // Drawn over black it gives the premultiplied colour, over white that plus 1 - alpha.
        int size = (int)(extent * shortSide * 1.1f) + 3, half = size / 2;
        size = (2 * half) + 1;
        var onBlack = new Vector3[size * size];
        var onWhite = new Vector3[size * size];
        Array.Fill(onWhite, Vector3.One);
        float scale = extent * shortSide / Math.Max(sprite.Width, sprite.Height);
        SpriteDrawing.Draw(onBlack, size, size, sprite, half + 0.5f, half + 0.5f, scale);
        SpriteDrawing.Draw(onWhite, size, size, sprite, half + 0.5f, half + 0.5f, scale);
        return new Template(subject, colour, extent, [.. Enumerable.Range(0, size * size)
            .Select(i => ((i % size) - half, (i / size) - half, onBlack[i], 1f - (onWhite[i].X - onBlack[i].X)))
            .Where(pixel => pixel.Item4 > 0.1f)]);
    }
}
