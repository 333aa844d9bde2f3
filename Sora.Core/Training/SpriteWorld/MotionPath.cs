namespace Sora.Training.SpriteWorld;

/// <summary>Where a clip's subject is at a time.</summary>
/// <param name="X">Its centre, as a fraction of the frame's width.</param>
/// <param name="Y">Its centre, as a fraction of the frame's height.</param>
/// <param name="Extent">Its longer side, as a fraction of the frame's shorter side.</param>
/// <param name="Degrees">How far it is turned clockwise.</param>
internal readonly record struct MotionPath(float X, float Y, float Extent, float Degrees)
{
    public static MotionPath At(ClipDescription clip, float seconds)
    {
        MotionPath path = BeforeStillCamera(clip, seconds);
        (float x, float y) = CameraView.Shift(clip.Camera, seconds);
        return path with { X = path.X + x, Y = path.Y + y, Degrees = path.Degrees + clip.Tilt };
    }

    private static MotionPath BeforeStillCamera(ClipDescription clip, float seconds)
    {
        (float x, float y) = clip.Start;
        float way = clip.Speed * seconds;
        switch (clip.Motion)
        {
            case Motion.Left:
                return new(x - way, y, clip.Extent, 0f);
            case Motion.Right:
                return new(x + way, y, clip.Extent, 0f);
            case Motion.Up:
                return new(x, y - way, clip.Extent, 0f);
            case Motion.Down:
                return new(x, y + way, clip.Extent, 0f);
            case Motion.Bounces:
                float phase = way - MathF.Floor(way);
                return new(x, y - (4f * clip.Reach * phase * (1f - phase)), clip.Extent, 0f);
            case Motion.Circles:
                (float sin, float cos) = MathF.SinCos(2f * MathF.PI * way);
                return new(x + (clip.Reach * sin), y - (clip.Reach * cos), clip.Extent, 0f);
            case Motion.Spins:
                return new(x, y, clip.Extent, 360f * way);
            case Motion.Grows:
                return new(x, y, clip.Extent + way, 0f);
            case Motion.Shrinks:
                return new(x, y, MathF.Max(clip.Extent - way, 0.1f), 0f);
            default:
                return new(x, y, clip.Extent, 0f);
        }
    }
}
