using System.Numerics;

namespace Sora.Training.SpriteWorld.Scenes;

/// <summary>Sand dunes, a cactus here and there, a low sun.</summary>
internal static class Desert
{
    public static void Paint(SceneCanvas canvas, ClipRandom random)
    {
        float horizon = random.Between(0.54f, 0.62f);
        float phase = random.Between(0f, 6f), nearPhase = random.Between(0f, 6f);
        canvas.Gradient((0f, Rgb.Hex(0xF9D58B)), (horizon, Rgb.Hex(0xFDF1CF)), (1f, Rgb.Hex(0xFDF1CF)));
        canvas.Disc(random.Between(0.15f, 0.85f), random.Between(0.12f, 0.22f), 0.075f, Rgb.Hex(0xFFFBE8));
        canvas.Below(x => horizon + (0.05f * MathF.Sin((2.9f * x) + phase)), Rgb.Hex(0xF0BE74), Rgb.Hex(0xDDA052));

        float Near(float x) => horizon + 0.12f + (0.06f * MathF.Sin((1.9f * x) + nearPhase));
        for (float x = -1.3f + random.Between(0f, 0.8f); x < 4f; x += random.Between(0.6f, 1.1f))
            Cactus(canvas, x, Near(x) + 0.01f, random.Between(0.09f, 0.14f));
        canvas.Below(Near, Rgb.Hex(0xEDB266), Rgb.Hex(0xC98845));
    }

    private static void Cactus(SceneCanvas canvas, float x, float ground, float tall)
    {
        Vector3 green = Rgb.Hex(0x5E8F4E);
        Bar(-0.11f, 1f, 0.11f, 0f); // the trunk
        canvas.Disc(x, ground - tall, tall * 0.11f, green);
        Bar(-0.36f, 0.5f, 0f, 0.34f); // the left arm
        Bar(-0.36f, 0.72f, -0.22f, 0.34f);
        Bar(0f, 0.6f, 0.36f, 0.45f); // the right arm
        Bar(0.22f, 0.82f, 0.36f, 0.45f);

        void Bar(float left, float top, float right, float bottom) => canvas.Rectangle(
            x + (tall * left), ground - (tall * top), x + (tall * right), ground - (tall * bottom), green);
    }
}
