namespace Sora.Training.SpriteWorld;

/// <summary>
/// How the camera moves over the scene. The subject's motion is relative to the frame, but for <see cref="Shake"/>, which
/// moves it with the scene.
/// </summary>
public enum CameraMove
{
    /// <summary>The scene stands still; captions do not mention it.</summary>
    Still,

    /// <summary>The scene moves to the right.</summary>
    PanLeft,

    /// <summary>The scene moves to the left.</summary>
    PanRight,

    /// <summary>The scene gets larger around the frame's middle.</summary>
    ZoomIn,

    /// <summary>The scene gets smaller around the frame's middle.</summary>
    ZoomOut,

    /// <summary>The scene, and the subject in it, jerks to and fro.</summary>
    Shake,
}
