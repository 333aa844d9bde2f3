using System.Globalization;

namespace Sora.Cli;

/// <summary>A frame's width and height in pixels, written <c>64x48</c>.</summary>
internal readonly record struct FrameSize(int Width, int Height)
{
    /// <exception cref="SoraException">Not two whole numbers with an x between.</exception>
    public static FrameSize Parse(string text)
    {
        string[] sides = text.Split('x', 'X', '×');
        if (sides.Length == 2 && TryParseSide(sides[0], out int width) && TryParseSide(sides[1], out int height))
            return new FrameSize(width, height);
        throw new SoraException($"--size '{text}' is not a width and a height in pixels, such as 64x48.");
    }

    private static bool TryParseSide(string text, out int side) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out side);
}
