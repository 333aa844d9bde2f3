using System.Numerics;

namespace Sora.Training.SpriteWorld.Scenes;

/// <summary>A dark violet night with stars, a soft nebula and a moon or planet.</summary>
internal static class StarrySpace
{
    private static readonly Vector3[] s_moons = [Rgb.Hex(0xD9D4C7), Rgb.Hex(0xD6A77A), Rgb.Hex(0xA9A4D6)];

    public static void Paint(SceneCanvas canvas, ClipRandom random)
    {
        canvas.Gradient((0f, Rgb.Hex(0x120B2E)), (1f, Rgb.Hex(0x2C1B55)));
        for (float x = -1.2f + random.Between(0f, 0.5f); x < 4f; x += random.Between(0.7f, 1.1f))
            canvas.Ellipse(x, random.Between(0.2f, 0.8f), 0.55f, 0.28f, Rgb.Hex(0x5B3A8C), 0.55f, softness: 1f);
        for (float x = -1.5f; x < 4f; x += 0.06f)
        {
            float at = x + random.Between(0f, 0.06f), y = random.NextSingle(), bright = random.NextSingle();
            canvas.Disc(at, y, 0.007f + (0.008f * bright * bright), Rgb.Hex(0xFFF8E0), 0.45f + (0.55f * bright));
        }

        float moonX = random.Between(0.1f, 0.9f), moonY = random.Between(0.1f, 0.25f);
        float radius = random.Between(0.05f, 0.08f);
        Vector3 moon = random.Pick(s_moons);
        radius *= MathF.Min(canvas.Right - canvas.Left, 1f); // not larger than the subject in a narrow frame
        canvas.Disc(moonX, moonY, radius, moon);
        canvas.Disc(moonX + (radius * 0.3f), moonY + (radius * 0.2f), radius * 0.28f, moon * 0.85f);
        canvas.Disc(moonX - (radius * 0.4f), moonY - (radius * 0.25f), radius * 0.2f, moon * 0.85f);
    }
}
