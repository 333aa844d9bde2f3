using System.Numerics;
using Sora.Training.SpriteWorld;

namespace Sora.Tests.Training.SpriteWorld;

/// <summary>Finds a drawn subject by what differs from the empty scene.</summary>
internal static class SubjectPositions
{
    private const int Frames = 17;

    /// <summary>The centre of the difference in 17 frames at 8 frames a second, as fractions of the frame.</summary>
    public static (double X, double Y)[] Of(World world, ClipDescription clip, int width, int height) =>
        [.. Changes(world, clip, width, height).Select(change => Centre(change, width, height))];

    /// <summary>[17][height · width]: how much each pixel of each frame differs from the scene.</summary>
    public static float[][] Changes(World world, ClipDescription clip, int width, int height)
    {
        int pixels = width * height;
        var rgb = new byte[Frames * pixels * 3];
        world.Render(clip, width, height, Frames, 8, rgb);
        Vector3[] scene = ClipRenderer.PaintScene(clip.Scene, clip.SceneSeed, clip.TimeOfDay, width, height, left: 0f);
        return [.. Enumerable.Range(0, Frames).Select(t => scene.Select((colour, i) =>
        {
            int at = ((t * pixels) + i) * 3;
            return (colour - (new Vector3(rgb[at], rgb[at + 1], rgb[at + 2]) / 255f)).LengthSquared();
        }).ToArray())];
    }

    private static (double X, double Y) Centre(float[] change, int width, int height)
    {
        // The middle of the extremes: how strongly the scene behind differs does not matter.
        int[] changed = [.. Enumerable.Range(0, change.Length).Where(i => change[i] > 0.005f)];
        return ((changed.Min(i => i % width) + changed.Max(i => i % width) + 1) / 2.0 / width,
            (changed.Min(i => i / width) + changed.Max(i => i / width) + 1) / 2.0 / height);
    }
}
