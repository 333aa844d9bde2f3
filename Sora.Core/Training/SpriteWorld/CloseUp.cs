namespace Sora.Training.SpriteWorld;

/// <summary>
/// A window around a clip's subject at some moment of the clip. A network that learns from windows sees the subject at its
/// usual size, in every turn and place, at a fraction of a picture's patches.
/// </summary>
internal static class CloseUp
{
    // How far the subject may be from the window's middle, in window sides: it is in the picture as a whole, or nearly.
    private const float Off = 0.15f;

    /// <summary>Draws a window.</summary>
    /// <param name="world">The world.</param>
    /// <param name="clip">What is drawn.</param>
    /// <param name="width">The whole frame's width in pixels.</param>
    /// <param name="height">The whole frame's height in pixels.</param>
    /// <param name="side">The window's side in pixels, at most <paramref name="width"/> and <paramref name="height"/>.</param>
    /// <param name="seed">Chooses the moment and the window's place.</param>
    /// <param name="rgb">Receives [side, side, 3].</param>
    public static void Render(World world, ClipDescription clip, int width, int height, int side, ulong seed, Span<byte> rgb)
    {
        (float seconds, int left, int top) = Place(world, clip, width, height, side, seed);
        int bytes = width * height * 3;
        // The second of two frames: the first is at 0.
        var frames = new byte[2 * bytes];
        world.Render(clip, width, height, 2, 1 / seconds, frames);

        for (int y = 0; y < side; y++)
            frames.AsSpan(bytes + ((((top + y) * width) + left) * 3), side * 3).CopyTo(rgb[(y * side * 3)..]);
    }

    /// <summary>The moment of a window, and its left upper corner in pixels.</summary>
    public static (float Seconds, int Left, int Top) Place(World world, ClipDescription clip, int width, int height, int side, ulong seed)
    {
        var random = new ClipRandom(seed ^ 0xc105e);
        float seconds = random.Between(0.01f, world.Config.Seconds);
        MotionPath at = MotionPath.At(clip, seconds);
        int left = First(at.X * width, width), top = First(at.Y * height, height);
        return (seconds, left, top);

        int First(float centre, int length) =>
            Math.Clamp((int)MathF.Round(centre - (side / 2f) + (side * random.Between(-Off, Off))), 0, length - side);
    }
}
