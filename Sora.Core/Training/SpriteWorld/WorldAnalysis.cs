using Sora.Training.SpriteWorld.Analysis;

namespace Sora.Training.SpriteWorld;

/// <summary>
/// Judges videos by the world's own knowledge of pixels: which subject moves how, in which scene and colour. It takes
/// videos of any size, drawn or generated. Made once for a world; safe for several threads.
/// </summary>
public sealed class WorldAnalysis
{
    private readonly SpriteWorldConfig _config;
    private readonly SubjectRecognition _subjects;
    private readonly SceneRecognition _scenes;

    /// <summary>Prepares the templates of the world's config.</summary>
    public WorldAnalysis(World world)
    {
        _config = world.Config;
        _subjects = new SubjectRecognition(world);
        _scenes = new SceneRecognition(world.Config);
    }

    /// <summary>
    /// Says what a video shows, among the subjects, scenes, motions and colours of the world's config.
    /// </summary>
    /// <param name="rgb">Its frames, [T, H, W, 3].</param>
    /// <param name="width">W, at least 8.</param>
    /// <param name="height">H, at least 8.</param>
    /// <exception cref="ArgumentException">The bytes are not whole frames of that size, or there is none.</exception>
    public ClipAnalysis Analyse(ReadOnlySpan<byte> rgb, int width, int height)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 8);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 8);
        if (rgb.Length == 0 || rgb.Length % (width * height * 3) != 0)
            throw new ArgumentException($"{rgb.Length} bytes are not frames of [{height}, {width}, 3].", nameof(rgb));

        SubjectFinding found = _subjects.Find(rgb, width, height);
        (Scene scene, TimeOfDay time) = _scenes.Recognise(found.Background, found.BackgroundWidth);
        return new ClipAnalysis(
            found.Gain > 0f ? found.Subject : null,
            found.Colour,
            scene,
            time,
            found.Turns ? Motion.Spins : MotionRecognition.Recognise(found.Track, _config.Motions),
            [.. found.Track.Select(sighting => (sighting.X, sighting.Y))],
            found.Gain);
    }

    /// <summary>Whether a video shows what a caption says.</summary>
    /// <param name="rgb">Its frames, [T, H, W, 3].</param>
    /// <param name="width">W.</param>
    /// <param name="height">H.</param>
    /// <param name="expected">
    /// What it should show; <see cref="CaptionParser.Parse"/> and <see cref="CaptionMeaning.Of"/> make it.
    /// </param>
    /// <exception cref="ArgumentException">As <see cref="Analyse"/>.</exception>
    public ClipScore Score(ReadOnlySpan<byte> rgb, int width, int height, CaptionMeaning expected) =>
        Score(Analyse(rgb, width, height), expected);

    /// <summary>Whether an analysed video shows what a caption says.</summary>
    /// <param name="shown">What it shows.</param>
    /// <param name="expected">What it should show.</param>
    public static ClipScore Score(ClipAnalysis shown, CaptionMeaning expected)
    {
        bool subject = expected.Subject is null || expected.Subject == shown.Subject;
        bool colour = subject && shown.Subject is { } seen
            && Looks(seen, shown.Colour) == Looks(seen, expected.Colour);
        return new ClipScore(
            subject,
            expected.Scene is null || expected.Scene == shown.Scene,
            expected.Motion is null || expected.Motion == shown.Motion,
            colour);
    }

    private static SubjectColour Looks(Subject subject, SubjectColour colour) =>
        colour == SubjectColour.Own ? subject.DrawnColour : colour;
}
