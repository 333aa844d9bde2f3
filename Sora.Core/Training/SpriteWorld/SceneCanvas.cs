using System.Numerics;

namespace Sora.Training.SpriteWorld;

/// <summary>
/// A picture to paint scenes on. Lengths are in units of its height: y is 0 at the top and 1 at the bottom, x from
/// <see cref="Left"/> to <see cref="Right"/>. Edges are antialiased by the distance to them in pixels.
/// </summary>
internal sealed class SceneCanvas
{
    private readonly int _width;
    private readonly int _height;
    private readonly float _pixel;

    /// <summary>Makes a black canvas whose left edge is at x = <paramref name="left"/>.</summary>
    public SceneCanvas(int width, int height, float left = 0f)
    {
        _width = width;
        _height = height;
        _pixel = 1f / height;
        Left = left;
        Pixels = new Vector3[width * height];
    }

    /// <summary>[height, width] of (red, green, blue), 0..1.</summary>
    public Vector3[] Pixels { get; }

    public float Left { get; }

    public float Right => Left + (_width * _pixel);

    /// <summary>Fills all with colours blended between the stops' heights.</summary>
    public void Gradient(params ReadOnlySpan<(float At, Vector3 Colour)> stops)
    {
        for (int row = 0; row < _height; row++)
        {
            float y = (row + 0.5f) * _pixel;
            int upper = 0;
            while (upper < stops.Length - 2 && stops[upper + 1].At < y)
                upper++;
            (float from, Vector3 above) = stops[upper];
            (float to, Vector3 below) = stops[upper + 1];
            Vector3 colour = Vector3.Lerp(above, below, Math.Clamp((y - from) / (to - from), 0f, 1f));
            Pixels.AsSpan(row * _width, _width).Fill(colour);
        }
    }

    /// <summary>
    /// Fills below a line, blending from a colour at the line to another at the bottom of the canvas.
    /// </summary>
    public void Below(Func<float, float> line, Vector3 atLine, Vector3 atBottom)
    {
        for (int column = 0; column < _width; column++)
        {
            float top = line(X(column));
            for (int row = Math.Max((int)((top / _pixel) - 1f), 0); row < _height; row++)
            {
                float depth = ((row + 0.5f) * _pixel) - top;
                Vector3 colour = Vector3.Lerp(atLine, atBottom, Math.Clamp(depth / (1f - top), 0f, 1f));
                Blend((row * _width) + column, colour, (depth / _pixel) + 0.5f);
            }
        }
    }

    /// <summary>Fills between two lines.</summary>
    public void Between(Func<float, float> upper, Func<float, float> lower, Vector3 colour, float opacity = 1f)
    {
        for (int column = 0; column < _width; column++)
        {
            float top = upper(X(column)), bottom = lower(X(column));
            int last = Math.Min((int)((bottom / _pixel) + 1f), _height - 1);
            for (int row = Math.Max((int)((top / _pixel) - 1f), 0); row <= last; row++)
            {
                float y = (row + 0.5f) * _pixel;
                float inside = MathF.Min(y - top, bottom - y);
                Blend((row * _width) + column, colour, opacity * Math.Clamp((inside / _pixel) + 0.5f, 0f, 1f));
            }
        }
    }

    public void Rectangle(float left, float top, float right, float bottom, Vector3 colour, float opacity = 1f) =>
        Fill(left, top, right, bottom, colour, opacity,
            (x, y) => MathF.Min(MathF.Min(x - left, right - x), MathF.Min(y - top, bottom - y)));

    /// <summary>Fills an ellipse; softness 0: a sharp edge, 1: fades from the centre.</summary>
    public void Ellipse(
        float x, float y, float radiusX, float radiusY, Vector3 colour, float opacity = 1f, float softness = 0f)
    {
        float radius = MathF.Min(radiusX, radiusY);
        float fade = MathF.Max(softness * radius / _pixel, 1f);
        Fill(x - radiusX, y - radiusY, x + radiusX, y + radiusY, colour, opacity, (px, py) =>
        {
            float dx = (px - x) / radiusX, dy = (py - y) / radiusY;
            float inside = (1f - MathF.Sqrt((dx * dx) + (dy * dy))) * radius;
            return softness > 0f ? (inside / fade) - (0.5f * _pixel) : inside;
        });
    }

    public void Disc(float x, float y, float radius, Vector3 colour, float opacity = 1f, float softness = 0f) =>
        Ellipse(x, y, radius, radius, colour, opacity, softness);

    /// <summary>Fills an upright triangle: its tip, and the middle and half width of its base.</summary>
    public void Triangle(float tipX, float tipY, float baseY, float halfWidth, Vector3 colour)
    {
        float slope = halfWidth / (baseY - tipY);
        float across = 1f / MathF.Sqrt(1f + (slope * slope));
        Fill(tipX - halfWidth, tipY, tipX + halfWidth, baseY, colour, 1f,
            (x, y) => MathF.Min(baseY - y, ((slope * (y - tipY)) - MathF.Abs(x - tipX)) * across));
    }

    /// <summary>Replaces every colour.</summary>
    public void Grade(Func<Vector3, float, Vector3> colourAtHeight)
    {
        for (int i = 0; i < Pixels.Length; i++)
            Pixels[i] = colourAtHeight(Pixels[i], ((i / _width) + 0.5f) * _pixel);
    }

    private float X(int column) => Left + ((column + 0.5f) * _pixel);

    /// <summary>Blends within a box by the distance (positive inside) to an edge.</summary>
    private void Fill(
        float left, float top, float right, float bottom, Vector3 colour, float opacity,
        Func<float, float, float> inside)
    {
        int firstColumn = Math.Max((int)MathF.Floor((left - Left) / _pixel) - 1, 0);
        int lastColumn = Math.Min((int)MathF.Ceiling((right - Left) / _pixel), _width - 1);
        int firstRow = Math.Max((int)MathF.Floor(top / _pixel) - 1, 0);
        int lastRow = Math.Min((int)MathF.Ceiling(bottom / _pixel), _height - 1);
        for (int row = firstRow; row <= lastRow; row++)
        {
            for (int column = firstColumn; column <= lastColumn; column++)
            {
                float coverage = (inside(X(column), (row + 0.5f) * _pixel) / _pixel) + 0.5f;
                Blend((row * _width) + column, colour, opacity * Math.Clamp(coverage, 0f, 1f));
            }
        }
    }

    private void Blend(int index, Vector3 colour, float coverage)
    {
        if (coverage > 0f)
            Pixels[index] = Vector3.Lerp(Pixels[index], colour, MathF.Min(coverage, 1f));
    }
}
