using System.Globalization;
using System.Text;
using Sora.Frames;

namespace Sora.Cli;

/// <summary>
/// Pictures as text: each character is an upper half block, whose foreground is the upper of two pixels and whose background the lower
/// one (24-bit colours of ECMA-48's SGR, as ISO 8613-6 adds them).
/// </summary>
internal static class HalfBlocks
{
    /// <summary>The character.</summary>
    public const string Character = "▀";

    private const int WidestPicture = 80;
    private const int NarrowestPicture = 4;

    /// <summary>Two pixels, one above the other; null: there is none.</summary>
    public readonly record struct Cell((byte R, byte G, byte B)? Upper, (byte R, byte G, byte B)? Lower);

    /// <summary>Pictures side by side, a column apart, each as wide as it is or as the columns allow; those without room are left out.</summary>
    /// <param name="pictures">The pictures.</param>
    /// <param name="columns">The columns that there are, at least 4.</param>
    public static IReadOnlyList<IReadOnlyList<Cell>> Rows(IReadOnlyList<VideoFrame> pictures, int columns)
    {
        int count = Math.Clamp((columns + 1) / (NarrowestPicture + 1), 1, pictures.Count);
        int widest = Math.Min(WidestPicture, ((columns + 1) / count) - 1);
        (byte R, byte G, byte B)[][,] drawn = [.. pictures.Take(count).Select(picture => Scale(picture, widest))];
        int rows = drawn.Max(picture => (picture.GetLength(0) + 1) / 2);
        return [.. Enumerable.Range(0, rows).Select(row => (IReadOnlyList<Cell>)[.. drawn.SelectMany((picture, i) => Row(picture, row, first: i == 0))])];
    }

    /// <summary>A row as text that ends with the terminal's own colours.</summary>
    public static string Text(IReadOnlyList<Cell> row)
    {
        var text = new StringBuilder();
        foreach (Cell cell in row)
        {
            text.Append(CultureInfo.InvariantCulture, $"\e[{Colour(38, cell.Upper)};{Colour(48, cell.Lower)}m{(cell.Upper is null ? " " : Character)}");
        }
        return text.Append("\e[0m").ToString();
    }

    private static string Colour(int place, (byte R, byte G, byte B)? colour) => colour is { } c
        ? string.Create(CultureInfo.InvariantCulture, $"{place};2;{c.R};{c.G};{c.B}")
        : string.Create(CultureInfo.InvariantCulture, $"{place + 1}");

    private static IEnumerable<Cell> Row((byte R, byte G, byte B)[,] picture, int row, bool first)
    {
        if (!first)
            yield return default;
        int upper = 2 * row, lower = upper + 1;
        for (int x = 0; x < picture.GetLength(1); x++)
            yield return new(upper < picture.GetLength(0) ? picture[upper, x] : null, lower < picture.GetLength(0) ? picture[lower, x] : null);
    }

    // At most so many columns, in the picture's shape; each pixel is the mean of those it stands for.
    private static (byte R, byte G, byte B)[,] Scale(VideoFrame picture, int widest)
    {
        int width = Math.Min(picture.Width, widest), height = Math.Max(1, (int)Math.Round((double)picture.Height * width / picture.Width));
        var scaled = new (byte R, byte G, byte B)[height, width];
        ReadOnlySpan<byte> rgb = picture.Rgb.Span;
        for (int y = 0; y < height; y++)
        {
            for (int x = 0; x < width; x++)
            {
                int top = y * picture.Height / height, bottom = Math.Max(top + 1, (y + 1) * picture.Height / height);
                int left = x * picture.Width / width, right = Math.Max(left + 1, (x + 1) * picture.Width / width);
                int r = 0, g = 0, b = 0, count = (bottom - top) * (right - left);
                for (int at = top * picture.Width; at < bottom * picture.Width; at += picture.Width)
                {
                    for (int i = 3 * (at + left); i < 3 * (at + right); i += 3)
                        (r, g, b) = (r + rgb[i], g + rgb[i + 1], b + rgb[i + 2]);
                }
                scaled[y, x] = ((byte)(r / count), (byte)(g / count), (byte)(b / count));
            }
        }
        return scaled;
    }
}
