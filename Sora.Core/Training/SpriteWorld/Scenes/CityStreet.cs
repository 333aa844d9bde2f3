using System.Numerics;

namespace Sora.Training.SpriteWorld.Scenes;

/// <summary>A row of houses with windows, a pavement and a road with a dashed line.</summary>
internal static class CityStreet
{
    private static readonly Vector3[] s_walls =
        [Rgb.Hex(0xC9A38B), Rgb.Hex(0xA8B0BC), Rgb.Hex(0xD8C7A6), Rgb.Hex(0xB58E86), Rgb.Hex(0x9AA79B)];

    public static void Paint(SceneCanvas canvas, ClipRandom random)
    {
        const float pavement = 0.66f, road = 0.73f;
        canvas.Gradient((0f, Rgb.Hex(0xB4D6F0)), (pavement, Rgb.Hex(0xECF3F7)), (1f, Rgb.Hex(0xECF3F7)));
        for (float left = -1.5f + random.Between(0f, 0.2f); left < 4f;)
        {
            float right = left + random.Between(0.22f, 0.34f), roof = random.Between(0.1f, 0.36f);
            canvas.Rectangle(left, roof, right, pavement, random.Pick(s_walls));
            canvas.Rectangle(left, roof, right, roof + 0.02f, Rgb.Hex(0x6D6A72));
            for (float y = roof + 0.06f; y < pavement - 0.1f; y += 0.11f)
            {
                for (float x = left + 0.04f; x < right - 0.06f; x += 0.085f)
                    canvas.Rectangle(x, y, x + 0.045f, y + 0.06f, Rgb.Hex(0xE9F3F5));
            }

            left = right;
        }

        canvas.Below(_ => pavement, Rgb.Hex(0xBDBDBD), Rgb.Hex(0xC6C6C6));
        canvas.Below(_ => road, Rgb.Hex(0x74767E), Rgb.Hex(0x62646C));
        for (float x = -1.5f + random.Between(0f, 0.3f); x < 4f; x += 0.3f)
            canvas.Rectangle(x, 0.865f, x + 0.16f, 0.885f, Rgb.Hex(0xF2F0E4));
    }
}
