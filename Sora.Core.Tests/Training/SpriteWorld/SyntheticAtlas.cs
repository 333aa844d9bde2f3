using Sora.Training.SpriteWorld;

namespace Sora.Tests.Training.SpriteWorld;

/// <summary>
/// An atlas that needs no files: each subject is a half disc on the left and a bar of its own width on the right, grey with a
/// dark rim.
/// </summary>
internal static class SyntheticAtlas
{
    public static World FirstEdition { get; } = World(SpriteWorldConfig.FirstEdition);

    public static World World(SpriteWorldConfig config) => new(config, Of(config.Subjects));

    public static SpriteAtlas Of(IEnumerable<Subject> subjects) =>
        new(subjects.Select((subject, i) => (subject, i)).ToDictionary(pair => pair.subject, pair => Draw(pair.i)));

    private static Sprite Draw(int number)
    {
        const int size = 48;
        var rgba = new byte[size * size * 4];
        for (int y = 0; y < size; y++)
        {
            for (int x = 0; x < size; x++)
            {
                double radius = Math.Sqrt(Math.Pow(x - 23.5, 2) + Math.Pow(y - 23.5, 2));
                bool disc = radius < 23 && x < 24, bar = x >= 24 && Math.Abs(y - 23.5) < 3 + (2 * number % 19);
                byte grey = radius > 20 && disc ? (byte)10 : (byte)(disc ? 180 : 140);
                int at = ((y * size) + x) * 4;
                (rgba[at], rgba[at + 1], rgba[at + 2]) = (grey, grey, grey);
                rgba[at + 3] = disc || bar ? (byte)255 : (byte)0;
            }
        }

        return Sprite.FromRgba(size, size, rgba);
    }
}
