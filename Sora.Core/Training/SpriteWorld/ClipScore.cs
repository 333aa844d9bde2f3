namespace Sora.Training.SpriteWorld;

/// <summary>Whether a video shows what it should. What was not asked for counts as right.</summary>
/// <param name="Subject">The subject is right.</param>
/// <param name="Scene">The scene is right.</param>
/// <param name="Motion">The motion is right.</param>
/// <param name="Colour">The subject's colour is right; only where the subject is.</param>
public sealed record ClipScore(bool Subject, bool Scene, bool Motion, bool Colour)
{
    /// <summary>The time of day is right; a caption that names none asks for day. No part of <see cref="All"/>, since only the light tells it.</summary>
    public bool TimeOfDay { get; init; } = true;

    /// <summary>Subject, scene, motion and colour are right.</summary>
    public bool All => Subject && Scene && Motion && Colour;
}
