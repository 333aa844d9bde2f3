namespace Sora.Training.SpriteWorld;

/// <summary>What a video shows, as far as its pixels tell.</summary>
/// <param name="Subject">The subject; null where no template explains anything.</param>
/// <param name="Colour">
/// Its colour. <see cref="SubjectColour.Own"/> and the colour that it is drawn in look alike.
/// </param>
/// <param name="Scene">The scene.</param>
/// <param name="TimeOfDay">The time of day.</param>
/// <param name="Motion">The motion.</param>
/// <param name="Track">The subject's centre in each frame, as fractions of the frame's width and height.</param>
/// <param name="Evidence">
/// How much of the picture the subject explains: squared colour difference (0..1 a channel) summed over a frame 48
/// pixels high. Real clips have tens to hundreds; 0 or less: there is no subject.
/// </param>
public sealed record ClipAnalysis(
    Subject? Subject,
    SubjectColour Colour,
    Scene Scene,
    TimeOfDay TimeOfDay,
    Motion Motion,
    IReadOnlyList<(float X, float Y)> Track,
    float Evidence)
{
    /// <summary>A second subject, by what the first leaves unexplained; null where one was looked for.</summary>
    public ClipAnalysis? Companion { get; init; }
}
