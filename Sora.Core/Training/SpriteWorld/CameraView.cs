namespace Sora.Training.SpriteWorld;

/// <summary>The part of a scene that the frame shows at a time.</summary>
/// <param name="X">How far its middle is right of the scene's, as a fraction of the scene's width.</param>
/// <param name="Y">How far its middle is below the scene's, as a fraction of the scene's height.</param>
/// <param name="Zoom">How much larger than the whole scene things are, at least 1.</param>
internal readonly record struct CameraView(float X, float Y, float Zoom)
{
    private const float Nearest = 0.4f;      // more than the whole scene's size
    private const float ZoomSeconds = 1.5f;  // in which two thirds of it are done
    private const float ShakeZoom = 1.08f;   // what the frame jerks over is scene, too
    private const float ShakeWay = 0.028f;

    /// <summary>Where the camera looks; the whole scene for moves that paint the scene anew.</summary>
    public static CameraView At(CameraMove move, float seconds) => move switch
    {
        CameraMove.ZoomIn => new(0, 0, 1 + (Nearest * (1 - MathF.Exp(-seconds / ZoomSeconds)))),
        CameraMove.ZoomOut => new(0, 0, 1 + (Nearest * MathF.Exp(-seconds / ZoomSeconds))),
        CameraMove.Shake => new(ShakeWay * Wobble(seconds, 2.9f, 1.7f), ShakeWay * Wobble(seconds, 3.3f, 2.1f), ShakeZoom),
        _ => new(0, 0, 1),
    };

    /// <summary>How far something of the scene is moved in the frame by a shaking camera, as fractions of its width and height.</summary>
    public static (float X, float Y) Shift(CameraMove move, float seconds)
    {
        if (move != CameraMove.Shake)
            return (0, 0);
        CameraView view = At(move, seconds);
        return (-view.X * view.Zoom, -view.Y * view.Zoom);
    }

    // Two waves, of rounds a second that do not divide each other; -1 to 1.
    private static float Wobble(float seconds, float fast, float slow) =>
        (0.65f * MathF.Sin(2 * MathF.PI * fast * seconds)) + (0.35f * MathF.Sin(2 * MathF.PI * slow * seconds));
}
