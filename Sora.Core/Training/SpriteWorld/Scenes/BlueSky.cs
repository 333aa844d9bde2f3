namespace Sora.Training.SpriteWorld.Scenes;

/// <summary>Nothing but sky and many clouds.</summary>
internal static class BlueSky
{
    public static void Paint(SceneCanvas canvas, ClipRandom random)
    {
        canvas.Gradient((0f, Rgb.Hex(0x4FA8EC)), (1f, Rgb.Hex(0xB4DEFA)));
        Clouds.Paint(canvas, random, 0.06f, 0.28f, 0.6f, 0.95f);
        Clouds.Paint(canvas, random, 0.36f, 0.6f, 0.75f, 0.95f);
        Clouds.Paint(canvas, random, 0.7f, 0.95f, 0.55f, 0.95f);
    }
}
