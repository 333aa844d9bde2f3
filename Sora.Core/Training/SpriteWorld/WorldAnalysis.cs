using System.Numerics;
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
    /// <param name="subjects">How many subjects to look for: 1 or 2. The second is what explains best what the first leaves.</param>
    /// <exception cref="ArgumentException">The bytes are not whole frames of that size, or there is none, or no such number is looked for.</exception>
    public ClipAnalysis Analyse(ReadOnlySpan<byte> rgb, int width, int height, int subjects = 1)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(subjects, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(subjects, 2);
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 8);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 8);
        if (rgb.Length == 0 || rgb.Length % (width * height * 3) != 0)
            throw new ArgumentException($"{rgb.Length} bytes are not frames of [{height}, {width}, 3].", nameof(rgb));

        SubjectFinding found = _subjects.Find(rgb, width, height);
        SubjectFinding? other = subjects > 1 ? _subjects.Find(Without(found, rgb, width, height), width, height) : null;
        // Behind both.
        SubjectFinding last = other ?? found;
        (Scene scene, TimeOfDay time) = _scenes.Recognise(last.Background, last.BackgroundWidth);
        return Of(found, scene, time) with { Companion = other is null ? null : Of(other, scene, time) };
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
        Score(Analyse(rgb, width, height, expected.Companion is null ? 1 : 2), expected);

    /// <summary>Whether an analysed video shows what a caption says.</summary>
    /// <param name="shown">What it shows.</param>
    /// <param name="expected">What it should show.</param>
    public static ClipScore Score(ClipAnalysis shown, CaptionMeaning expected)
    {
        ArgumentNullException.ThrowIfNull(shown);
        ArgumentNullException.ThrowIfNull(expected);
        if (expected.Companion is not { } companion)
            return ScoreOne(shown, expected);
        if (shown.Companion is not { } other)
            return ScoreOne(shown, expected) with { Subject = false, Motion = false, Colour = false };
        // Which of the two was found first says nothing.
        ClipScore straight = Both(ScoreOne(shown, expected), ScoreOne(other, companion)), crossed = Both(ScoreOne(other, expected), ScoreOne(shown, companion));
        return Right(crossed) > Right(straight) ? crossed : straight;

        static ClipScore Both(ClipScore one, ClipScore two) =>
            new(one.Subject && two.Subject, one.Scene && two.Scene, one.Motion && two.Motion, one.Colour && two.Colour) { TimeOfDay = one.TimeOfDay };
        static int Right(ClipScore score) => (score.Subject ? 4 : 0) + (score.Motion ? 2 : 0) + (score.Colour ? 1 : 0);
    }

    private static ClipScore ScoreOne(ClipAnalysis shown, CaptionMeaning expected)
    {
        bool subject = expected.Subject is null || expected.Subject == shown.Subject;
        bool colour = subject && shown.Subject is { } seen
            && Looks(seen, shown.Colour) == Looks(seen, expected.Colour);
        return new ClipScore(
            subject,
            expected.Scene is null || expected.Scene == shown.Scene,
            expected.Motion is null || expected.Motion == shown.Motion,
            colour)
        {
            TimeOfDay = expected.TimeOfDay == shown.TimeOfDay,
        };
    }

    private ClipAnalysis Of(SubjectFinding found, Scene scene, TimeOfDay time) => new(
        found.Gain > 0f ? found.Subject : null,
        found.Colour,
        scene,
        time,
        found.Turns ? Motion.Spins : MotionRecognition.Recognise(found.Track, _config.Motions),
        [.. found.Track.Select(sighting => (sighting.X, sighting.Y))],
        found.Gain);

    // The frames with the scene in place of what was found.
    private static byte[] Without(SubjectFinding found, ReadOnlySpan<byte> rgb, int width, int height)
    {
        byte[] rest = rgb.ToArray();
        int backgroundHeight = found.Background.Length / found.BackgroundWidth;
        for (int t = 0; t < found.Track.Count; t++)
        {
            Sighting at = found.Track[t];
            float half = Background.Reach * at.Extent * Math.Min(width, height);
            for (int y = Math.Max((int)((at.Y * height) - half), 0); y < Math.Min((at.Y * height) + half, height); y++)
            {
                for (int x = Math.Max((int)((at.X * width) - half), 0); x < Math.Min((at.X * width) + half, width); x++)
                {
                    Vector3 colour = found.Background[(y * backgroundHeight / height * found.BackgroundWidth) + (x * found.BackgroundWidth / width)] * 255;
                    int pixel = ((((t * height) + y) * width) + x) * 3;
                    (rest[pixel], rest[pixel + 1], rest[pixel + 2]) = ((byte)colour.X, (byte)colour.Y, (byte)colour.Z);
                }
            }
        }
        return rest;
    }

    private static SubjectColour Looks(Subject subject, SubjectColour colour) =>
        colour == SubjectColour.Own ? subject.DrawnColour : colour;
}
