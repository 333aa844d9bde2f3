using System.Numerics;

namespace Sora.Training.SpriteWorld;

/// <summary>Draws clips: the scene once (or once a frame where the camera moves), the sprites in every frame.</summary>
internal static class ClipRenderer
{
    public static void Render(
        ClipDescription clip, SpriteAtlas atlas, int width, int height, int frameCount, double fps, Span<byte> rgb)
    {
        var backdrop = new Backdrop(clip, width, height);
        var frame = new Vector3[width * height];
        // The companion is behind.
        (ClipDescription Clip, Sprite Sprite)[] subjects =
            [.. clip.Subjects.Reverse().Select(one => (one, atlas.Get(one.Subject, one.Colour, PoseOf(one))))];
        for (int t = 0; t < frameCount; t++)
        {
            float seconds = (float)(t / fps);
            backdrop.Draw(seconds, frame);
            foreach ((ClipDescription one, Sprite sprite) in subjects)
            {
                MotionPath at = MotionPath.At(one, seconds);
                DrawSubject(frame, width, height, sprite, at, at.X * width, at.Y * height, at.Extent * Math.Min(width, height));
            }
            ToBytes(frame, rgb.Slice(t * frame.Length * 3, frame.Length * 3));
        }
    }

    /// <summary>Draws a subject as it is turned at a moment.</summary>
    /// <param name="frame">[height, width].</param>
    /// <param name="width">Its width.</param>
    /// <param name="height">Its height.</param>
    /// <param name="sprite">The subject, upright.</param>
    /// <param name="at">The moment.</param>
    /// <param name="x">The subject's centre from the left, in the frame's pixels.</param>
    /// <param name="y">The subject's centre from the top.</param>
    /// <param name="side">Its longer side when it is upright.</param>
    internal static void DrawSubject(Span<Vector3> frame, int width, int height, Sprite sprite, MotionPath at, float x, float y, float side) =>
        SpriteDrawing.Draw(frame, width, height, at.Degrees == 0f ? sprite : sprite.Turned(at.Degrees), x, y, side / Math.Max(sprite.Width, sprite.Height));

    /// <summary>A scene without a subject, [height, width].</summary>
    internal static Vector3[] PaintScene(
        Scene scene, ulong sceneSeed, TimeOfDay time, int width, int height, float left)
    {
        var canvas = new SceneCanvas(width, height, left);
        scene.Paint(canvas, new ClipRandom(sceneSeed));
        switch (time)
        {
            case TimeOfDay.Sunset:
                canvas.Grade((colour, y) => Vector3.Lerp(
                    colour * Rgb.Hex(0xFFD0B0),
                    Vector3.Lerp(Rgb.Hex(0x7D5BA6), Rgb.Hex(0xFF9A4D), MathF.Min(y / 0.5f, 1f)),
                    0.6f * Math.Clamp((0.8f - y) / 0.3f, 0.25f, 1f)));
                break;
            case TimeOfDay.Night:
                canvas.Grade((colour, _) =>
                    Vector3.Lerp(colour, new Vector3(Rgb.Luma(colour)), 0.4f) * Rgb.Hex(0x3A4A7C));
                break;
        }

        return canvas.Pixels;
    }

    /// <summary>How a clip shows its subject.</summary>
    internal static Pose PoseOf(ClipDescription clip) => (clip.Subject.Facing, clip.Motion) switch
    {
        (Facing.Front, _) => Pose.Upright,
        (_, Motion.Left) => Pose.Left,
        (_, Motion.Right) => Pose.Right,
        (Facing.UpRight, Motion.Down) => Pose.Down,
        (Facing.UpRight, _) => Pose.Upright,
        _ => clip.FacesRight ? Pose.Right : Pose.Left,
    };

    private static void ToBytes(ReadOnlySpan<Vector3> frame, Span<byte> rgb)
    {
        for (int i = 0; i < frame.Length; i++)
        {
            Vector3 pixel = (Vector3.Clamp(frame[i], Vector3.Zero, Vector3.One) * 255f) + new Vector3(0.5f);
            rgb[3 * i] = (byte)pixel.X;
            rgb[(3 * i) + 1] = (byte)pixel.Y;
            rgb[(3 * i) + 2] = (byte)pixel.Z;
        }
    }
}
