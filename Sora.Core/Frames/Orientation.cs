using System.Globalization;
using System.Text.Json;

namespace Sora.Frames;

/// <summary>
/// How a recording must be turned to stand upright: one of the eight ways to lay a rectangle on itself, from the
/// display matrix of the container (phones' videos) or of the frame (the EXIF orientation of photos).
/// </summary>
/// <param name="Filter">The ffmpeg filter that does it; null when nothing is to be done.</param>
/// <param name="SwapsSides">Whether width and height change places.</param>
internal readonly record struct Orientation(string? Filter, bool SwapsSides)
{
    /// <summary>Reads it from ffprobe's frame, else from its stream.</summary>
    public static Orientation Of(JsonElement frame, JsonElement stream) =>
        Matrix(frame) is int[] ofFrame ? OfMatrix(ofFrame)
        : Matrix(stream) is int[] ofStream ? OfMatrix(ofStream)
        : default;

    /// <summary>
    /// The matrix maps a stored point to x' = a·x + c·y, y' = b·x + d·y with y downwards (ISO/IEC 14496-12, 6.2.2).
    /// Angles between are taken for the nearest quarter turn.
    /// </summary>
    private static Orientation OfMatrix(int[] matrix)
    {
        (long a, long b, long c, long d) = (matrix[0], matrix[1], matrix[3], matrix[4]);
        bool swaps = Math.Abs(b) + Math.Abs(c) > Math.Abs(a) + Math.Abs(d);
        string? filter = swaps
            ? (b > 0, c > 0) switch
            {
                (true, false) => "transpose=clock",
                (false, true) => "transpose=cclock",
                (true, true) => "transpose=cclock_flip",
                (false, false) => "transpose=clock_flip",
            }
            : (a < 0, d < 0) switch
            {
                (false, false) => null,
                (true, false) => "hflip",
                (false, true) => "vflip",
                (true, true) => "hflip,vflip",
            };
        return new Orientation(filter, swaps);
    }

    /// <summary>ffprobe prints the nine numbers as three lines, each after its own number and a colon.</summary>
    private static int[]? Matrix(JsonElement holder)
    {
        if (!holder.TryGetProperty("side_data_list", out JsonElement list))
        {
            return null;
        }

        foreach (JsonElement sideData in list.EnumerateArray())
        {
            if (sideData.TryGetProperty("displaymatrix", out JsonElement text))
            {
                int[] numbers =
                [
                    .. (text.GetString() ?? "").Split('\n', StringSplitOptions.RemoveEmptyEntries)
                        .SelectMany(line => line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..]
                            .Split(' ', StringSplitOptions.RemoveEmptyEntries))
                        .Select(number => int.Parse(number, CultureInfo.InvariantCulture)),
                ];
                return numbers.Length == 9 ? numbers : null;
            }
        }

        return null;
    }
}
