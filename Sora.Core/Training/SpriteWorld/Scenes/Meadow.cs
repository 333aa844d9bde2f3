using System.Numerics;

namespace Sora.Training.SpriteWorld.Scenes;

/// <summary>Two green hills with flowers under a light sky.</summary>
internal static class Meadow
{
    private static readonly Vector3[] s_flowers = [Rgb.Hex(0xFFFFFF), Rgb.Hex(0xFFE45C), Rgb.Hex(0xFF9EC7)];

    public static void Paint(SceneCanvas canvas, ClipRandom random)
    {
        float horizon = random.Between(0.56f, 0.63f);
        float phase = random.Between(0f, 6f), nearPhase = random.Between(0f, 6f);
        canvas.Gradient((0f, Rgb.Hex(0x8CCBF5)), (horizon, Rgb.Hex(0xE6F5FC)), (1f, Rgb.Hex(0xE6F5FC)));
        Clouds.Paint(canvas, random, 0.06f, 0.26f, 0.7f, 0.85f);
        float Far(float x) => horizon - 0.04f + (0.05f * MathF.Sin((2.6f * x) + phase));
        canvas.Below(Far, Rgb.Hex(0xA9D78B), Rgb.Hex(0x8CC56C));

        float Near(float x) => horizon + 0.08f + (0.03f * MathF.Sin((2.1f * x) + nearPhase));
        canvas.Below(Near, Rgb.Hex(0xBDE37C), Rgb.Hex(0x8CC751));
        for (float x = -1.5f; x < 4f; x += 0.17f)
        {
            float at = x + random.Between(0f, 0.12f), radius = random.Between(0.009f, 0.014f);
            float y = MathF.Max(Near(at) + 0.03f, random.Between(horizon + 0.1f, 0.98f));
            canvas.Disc(at, y, radius, random.Pick(s_flowers));
        }
    }
}
