using System.Numerics;

namespace Sora.Training.SpriteWorld.Scenes;

/// <summary>Rocky peaks with white caps over a snow field with firs.</summary>
internal static class SnowyMountains
{
    public static void Paint(SceneCanvas canvas, ClipRandom random)
    {
        float field = random.Between(0.62f, 0.67f), phase = random.Between(0f, 6f);
        canvas.Gradient((0f, Rgb.Hex(0x9CC3E6)), (field, Rgb.Hex(0xE9F1F8)), (1f, Rgb.Hex(0xE9F1F8)));
        for (float x = -1.4f; x < 4f; x += random.Between(0.3f, 0.45f))
        {
            float tip = random.Between(0.16f, 0.34f), half = random.Between(0.3f, 0.4f);
            Vector3 rock = Vector3.Lerp(Rgb.Hex(0x7C8CA6), Rgb.Hex(0x93A3BA), random.NextSingle());
            canvas.Triangle(x, tip, field + 0.05f, half, rock);
            float cap = 0.4f * (field - tip);
            canvas.Triangle(x, tip, tip + cap, half * cap / (field + 0.05f - tip), Rgb.Hex(0xFAFCFE));
        }

        float Field(float x) => field + (0.02f * MathF.Sin((2.7f * x) + phase));
        for (float x = -1.4f; x < 4f; x += random.Between(0.2f, 0.4f))
        {
            float tall = random.Between(0.09f, 0.14f), foot = Field(x) + 0.02f;
            for (int tier = 0; tier < 3; tier++)
            {
                float tip = foot - tall + (tier * tall * 0.22f);
                canvas.Triangle(x, tip, tip + (tall * 0.56f), tall * (0.2f + (0.07f * tier)), Rgb.Hex(0x3F6B5C));
            }
        }

        canvas.Below(Field, Rgb.Hex(0xF7FAFD), Rgb.Hex(0xD5E2EF));
    }
}
