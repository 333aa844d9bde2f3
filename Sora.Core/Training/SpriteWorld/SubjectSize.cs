namespace Sora.Training.SpriteWorld;

/// <summary>How large the subject is in the frame.</summary>
public enum SubjectSize
{
    /// <summary>Its longer side is about 0.45 of the frame's shorter side; captions name no size.</summary>
    Usual,

    /// <summary>About 0.28 of the frame's shorter side.</summary>
    Small,

    /// <summary>About 0.65 of the frame's shorter side.</summary>
    Big,
}
