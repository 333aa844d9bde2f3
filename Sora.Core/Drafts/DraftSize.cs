using System.Globalization;
using Sora.Frames;

namespace Sora.Drafts;

/// <summary>The size of a draft: a share of the full one, rounded to multiples of the model's stride.</summary>
internal static class DraftSize
{
    /// <summary>Each side times the share, rounded to the nearest multiple of the stride, which is the least.</summary>
    public static PixelSize Of(int width, int height, double share, int stride) => new(Side(height, share, stride), Side(width, share, stride));

    /// <summary>Says why a draft of this share is none; null where it is smaller than the full size.</summary>
    /// <remarks>Width and height are multiples of the stride.</remarks>
    public static string? Problem(int width, int height, double share, int stride)
    {
        PixelSize draft = Of(width, height, share, stride);
        if (draft.Width < width || draft.Height < height)
            return null;
        int longest = Math.Max(width, height);
        string problem = string.Create(CultureInfo.InvariantCulture, $"Draft {share} of {width}x{height} is {draft.Width}x{draft.Height} in multiples of {stride}, no smaller; ");
        if (longest == stride)
            return problem + "this is the model's smallest size.";
        double nearest = Math.Floor(100.0 * (longest - stride) / longest) / 100;
        PixelSize smaller = Of(width, height, nearest, stride);
        return problem + string.Create(CultureInfo.InvariantCulture, $"nearest: {nearest} ({smaller.Width}x{smaller.Height}).");
    }

    private static int Side(int full, double share, int stride) =>
        Math.Max(stride, (int)Math.Round(full * share / stride, MidpointRounding.AwayFromZero) * stride);
}
