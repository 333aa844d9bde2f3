using Sora.Frames;

namespace Sora.Tests.Regions;

/// <summary>Masks with a rectangle.</summary>
internal static class TestMasks
{
    /// <summary>Changed from a column and a row on, up to others, which are not.</summary>
    public static FrameMask Rectangle(int left, int top, int right, int bottom, int width = 32, int height = 32, byte value = 255)
    {
        var values = new byte[width * height];
        for (int y = top; y < bottom; y++)
            values.AsSpan((y * width) + left, right - left).Fill(value);
        return new(width, height, values);
    }

    /// <summary>The bytes of the frames' pixels where masks, one for all or one for each, are black, or where they are not.</summary>
    public static byte[] Pixels(IEnumerable<VideoFrame> frames, IReadOnlyList<FrameMask> masks, bool kept) =>
    [
        .. frames.SelectMany((frame, i) =>
        {
            byte[] mask = masks[masks.Count == 1 ? 0 : i].Values.ToArray();
            return frame.Rgb.ToArray().Where((_, place) => mask[place / 3] == 0 == kept);
        }),
    ];
}
