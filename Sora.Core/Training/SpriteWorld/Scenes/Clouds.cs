using System.Numerics;

namespace Sora.Training.SpriteWorld.Scenes;

/// <summary>White clouds of three overlapping ellipses each, about one per <c>spacing</c>.</summary>
internal static class Clouds
{
    public static void Paint(
        SceneCanvas canvas, ClipRandom random, float top, float bottom, float spacing, float opacity)
    {
        for (float x = -1.5f + random.Between(0f, spacing); x < 4f; x += spacing * random.Between(0.8f, 1.3f))
        {
            float y = random.Between(top, bottom), size = random.Between(0.055f, 0.085f);
            canvas.Ellipse(x, y + (size * 0.35f), size * 1.9f, size * 0.55f, Vector3.One, opacity);
            canvas.Disc(x - (size * 0.5f), y, size * 0.65f, Vector3.One, opacity);
            canvas.Disc(x + (size * 0.45f), y - (size * 0.15f), size * 0.8f, Vector3.One, opacity);
        }
    }
}
