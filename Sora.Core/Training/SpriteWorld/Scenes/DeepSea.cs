using System.Numerics;

namespace Sora.Training.SpriteWorld.Scenes;

/// <summary>Water that darkens with depth, seaweed on the sea floor, rising bubbles.</summary>
internal static class DeepSea
{
    public static void Paint(SceneCanvas canvas, ClipRandom random)
    {
        float tone = random.Between(-0.02f, 0.02f);
        canvas.Gradient(
            (0f, Rgb.Hex(0x2FA3B5) + new Vector3(tone)),
            (0.5f, Rgb.Hex(0x12637F) + new Vector3(tone)),
            (1f, Rgb.Hex(0x0A3550)));

        float phase = random.Between(0f, 6f);
        float Floor(float x) => 0.92f + (0.025f * MathF.Sin((3.3f * x) + phase));
        for (float x = -1.5f; x < 4f; x += random.Between(0.14f, 0.34f))
        {
            float tall = random.Between(0.10f, 0.24f), lean = random.Between(0f, 6f), root = x;
            for (float up = 0f; up < 1f; up += 0.04f)
            {
                float at = root + (0.018f * MathF.Sin((5f * up) + lean)), y = Floor(root) + 0.02f - (up * tall);
                canvas.Disc(at, y, 0.016f * (1.15f - up), Rgb.Hex(0x0C5A4E));
            }
        }

        canvas.Below(Floor, Rgb.Hex(0x1D4A55), Rgb.Hex(0x143A48));
        for (float x = -1.5f; x < 4f; x += 0.2f)
        {
            float at = x + random.Between(0f, 0.18f), y = random.Between(0.08f, 0.85f);
            float radius = random.Between(0.011f, 0.022f);
            canvas.Disc(at, y, radius, Rgb.Hex(0xBFEDF2), 0.55f);
            canvas.Disc(at, y, radius * 0.6f, Rgb.Hex(0x2A8A9E), 0.6f);
        }
    }
}
