using System.Numerics;

namespace Sora.Training.SpriteWorld;

/// <summary>
/// Paints a sprite in another colour. The brightness of each pixel relative to the body's median becomes a shade of
/// the new colour (dark towards black, bright towards a tint), so shading and outlines stay; nearly black stays
/// black.
/// </summary>
internal static class Recolouring
{
    /// <summary>The paint of a colour.</summary>
    public static Vector3 Paint(SubjectColour colour) => colour switch
    {
        SubjectColour.Red => Rgb.Hex(0xEE2222),
        SubjectColour.Blue => Rgb.Hex(0x2C62FF),
        SubjectColour.Green => Rgb.Hex(0x16B342),
        _ => throw new ArgumentOutOfRangeException(nameof(colour), colour, "Not a paint."),
    };

    public static Sprite Apply(Sprite sprite, Subject subject, SubjectColour colour)
    {
        if (colour == SubjectColour.Own)
            return sprite;

        Vector3 paint = Paint(colour);
        float body = MedianLuma(sprite, subject);
        var pixels = new Vector4[sprite.Pixels.Length];
        for (int i = 0; i < pixels.Length; i++)
        {
            Vector4 pixel = sprite.Pixels[i];
            if (pixel.W < 1e-3f)
                continue;

            Vector3 own = new Vector3(pixel.X, pixel.Y, pixel.Z) / pixel.W;
            Vector3 painted = Vector3.Lerp(own, Shade(paint, Rgb.Luma(own), body), Share(own, subject));
            pixels[i] = new Vector4(painted, 1f) * pixel.W;
        }

        return new Sprite(sprite.Width, sprite.Height, pixels);
    }

    private static Vector3 Shade(Vector3 paint, float luma, float body)
    {
        float relative = luma / body;
        if (relative <= 1f)
            return paint * (0.25f + (0.75f * relative));

        float bright = (relative - 1f) / MathF.Max((1f / body) - 1f, 0.05f);
        return Vector3.Lerp(paint, Vector3.One, 0.7f * MathF.Min(bright, 1f));
    }

    /// <summary>How much of the paint a pixel takes: 0 none .. 1 all.</summary>
    private static float Share(Vector3 own, Subject subject)
    {
        (float hue, float chroma) = Rgb.HueAndChroma(own);
        float share = Math.Clamp((Rgb.Luma(own) - 0.10f) / 0.12f, 0f, 1f);
        if (subject.KeptHues is { } kept && hue >= kept.From && hue <= kept.To)
            share *= 1f - Math.Clamp((chroma - 0.05f) / 0.1f, 0f, 1f);
        if (subject.KeepsGreys)
            share *= Math.Clamp((chroma - 0.12f) / 0.1f, 0f, 1f);
        return share;
    }

    private static float MedianLuma(Sprite sprite, Subject subject)
    {
        float[] lumas = [.. sprite.Pixels
            .Where(pixel => pixel.W > 0.9f)
            .Select(pixel => new Vector3(pixel.X, pixel.Y, pixel.Z) / pixel.W)
            .Where(own => Share(own, subject) > 0.5f && Rgb.Luma(own) > 0.25f)
            .Select(Rgb.Luma)
            .Order()];
        return lumas.Length == 0 ? 0.5f : Math.Clamp(lumas[lumas.Length / 2], 0.3f, 0.95f);
    }
}
