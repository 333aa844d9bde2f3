namespace Sora.Training.SpriteWorld;

/// <summary>How the camera moves over the scene. The subject's motion is relative to the frame in any case.</summary>
public enum CameraMove
{
    /// <summary>The scene stands still; captions do not mention it.</summary>
    Still,

    /// <summary>The scene moves to the right.</summary>
    PanLeft,

    /// <summary>The scene moves to the left.</summary>
    PanRight,
}
