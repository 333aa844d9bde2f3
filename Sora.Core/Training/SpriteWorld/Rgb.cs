using System.Numerics;

namespace Sora.Training.SpriteWorld;

/// <summary>Colours as vectors (red, green, blue) of 0..1, written as in a paint box.</summary>
internal static class Rgb
{
    public static Vector3 Of(int red, int green, int blue) => new Vector3(red, green, blue) / 255f;

    public static Vector3 Hex(int rgb) => Of((rgb >> 16) & 255, (rgb >> 8) & 255, rgb & 255);

    /// <summary>Perceived brightness of 0..1 (Rec. 601 luma).</summary>
    public static float Luma(Vector3 colour) => Vector3.Dot(colour, new Vector3(0.299f, 0.587f, 0.114f));

    /// <summary>Hue in degrees (0 red, 120 green, 240 blue) and chroma of 0..1.</summary>
    public static (float Hue, float Chroma) HueAndChroma(Vector3 colour)
    {
        float max = MathF.Max(colour.X, MathF.Max(colour.Y, colour.Z));
        float min = MathF.Min(colour.X, MathF.Min(colour.Y, colour.Z));
        float chroma = max - min;
        if (chroma < 1e-4f)
            return (0f, 0f);

        float sixth = max == colour.X ? (colour.Y - colour.Z) / chroma
            : max == colour.Y ? ((colour.Z - colour.X) / chroma) + 2f
            : ((colour.X - colour.Y) / chroma) + 4f;
        return (((sixth * 60f) + 360f) % 360f, chroma);
    }
}
