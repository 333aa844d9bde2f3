namespace Sora.Training.SpriteWorld.Scenes;

/// <summary>Sand, foam, a strip of turquoise water and a clear sky.</summary>
internal static class Beach
{
    public static void Paint(SceneCanvas canvas, ClipRandom random)
    {
        float horizon = random.Between(0.36f, 0.42f), phase = random.Between(0f, 6f);
        float Shore(float x) =>
            horizon + 0.2f + (0.02f * MathF.Sin((4.2f * x) + phase)) + (0.01f * MathF.Sin((9f * x) + phase));
        canvas.Gradient((0f, Rgb.Hex(0x7CC4F2)), (horizon, Rgb.Hex(0xDDF3FB)), (1f, Rgb.Hex(0xDDF3FB)));
        Clouds.Paint(canvas, random, 0.08f, 0.2f, 0.9f, 0.9f);
        canvas.Below(_ => horizon, Rgb.Hex(0x1E8FC0), Rgb.Hex(0x5ED6DC));
        canvas.Below(x => Shore(x) - 0.025f, Rgb.Hex(0xF4FCFC), Rgb.Hex(0xF4FCFC));
        canvas.Below(Shore, Rgb.Hex(0xE8D09A), Rgb.Hex(0xF5E2B4));
        for (float x = -1.5f; x < 4f; x += 0.23f)
        {
            float at = x + random.Between(0f, 0.2f), y = random.Between(0.72f, 0.97f);
            canvas.Ellipse(at, y, 0.016f, 0.011f, Rgb.Hex(0xCDAE74));
        }
    }
}
