namespace Sora.Training.SpriteWorld;

/// <summary>
/// Reads captions by their telling words. It understands every caption of <see cref="Captions"/> and freer ones that
/// use the same words.
/// </summary>
public static class CaptionParser
{
    private static readonly Dictionary<string, Scene> s_scenes = new()
    {
        ["meadow"] = SceneCatalogue.Get("meadow"),
        ["sea"] = SceneCatalogue.Get("deep sea"),
        ["desert"] = SceneCatalogue.Get("desert"),
        ["beach"] = SceneCatalogue.Get("beach"),
        ["mountains"] = SceneCatalogue.Get("snowy mountains"),
        ["city"] = SceneCatalogue.Get("city street"),
        ["sky"] = SceneCatalogue.Get("blue sky"),
        ["space"] = SceneCatalogue.Get("starry space"),
    };

    // In this order: "stays still", "hops up and down" and "moves in a circle" contain words of later rows.
    private static readonly (Motion Motion, string[] Words)[] s_motions =
    [
        (Motion.Bounces, ["bounces", "bouncing", "hops", "hopping"]),
        (Motion.Circles, ["circle"]),
        (Motion.Spins, ["spins", "spinning"]),
        (Motion.Grows, ["grows", "growing", "larger"]),
        (Motion.Shrinks, ["shrinks", "shrinking", "smaller"]),
        (Motion.Left, ["left"]),
        (Motion.Right, ["right"]),
        (Motion.Up, ["up", "rises", "rising"]),
        (Motion.Down, ["down", "falls", "falling", "sinks", "sinking", "drops", "dropping"]),
        (Motion.Rests, ["rests", "resting", "still", "hovers", "hovering"]),
    ];

    /// <summary>What the caption says.</summary>
    public static CaptionMeaning Parse(string caption)
    {
        string[] words = [.. Words(caption)];
        int noun = Array.FindIndex(words, word => SubjectCatalogue.Find(word) is not null);
        int other = noun < 0 ? -1 : Array.FindIndex(words, noun + 1, word => SubjectCatalogue.Find(word) is { } second && second.Name != words[noun]);
        CaptionMeaning? companion = other < 0 ? null : OfSubject(words, other) with { Motion = MotionIn(words[other..]) };
        return OfSubject(words, noun) with
        {
            Scene = words.Select(word => s_scenes.GetValueOrDefault(word)).FirstOrDefault(scene => scene is not null),
            // "A dog and a cat run left": one verb for both.
            Motion = companion is null ? MotionIn(words) : MotionIn(words[noun..other]) ?? companion.Motion,
            TimeOfDay = Named<TimeOfDay>(words),
            Camera = CameraIn(words),
            Companion = companion,
        };
    }

    private static CaptionMeaning OfSubject(string[] words, int noun)
    {
        string[] adjectives = noun < 0 ? [] : words[Math.Max(noun - 2, 0)..noun];
        return new()
        {
            Subject = noun < 0 ? null : SubjectCatalogue.Find(words[noun]),
            Colour = Named<SubjectColour>(adjectives),
            Size = Named<SubjectSize>(adjectives),
            // It comes before both of these: "a tilted big red car".
            Tilted = noun >= 0 && words.AsSpan()[Math.Max(noun - 3, 0)..noun].Contains("tilted"),
        };
    }

    private static Motion? MotionIn(string[] words) => s_motions
        .Where(row => row.Words.Any(words.Contains))
        .Select(row => (Motion?)row.Motion)
        .FirstOrDefault();

    private static CameraMove CameraIn(string[] words)
    {
        int zooms = Array.FindIndex(words, word => word is "zooms" or "zooming");
        return words.Contains("leftwards") ? CameraMove.PanLeft
            : words.Contains("rightwards") ? CameraMove.PanRight
            : words.Contains("shakes") || words.Contains("shaking") ? CameraMove.Shake
            : zooms < 0 ? CameraMove.Still
            : zooms + 1 < words.Length && words[zooms + 1] == "out" ? CameraMove.ZoomOut
            : CameraMove.ZoomIn;
    }

    /// <summary>The words of a text, lower case, without punctuation.</summary>
    public static IEnumerable<string> Words(string text) =>
        text.ToLowerInvariant().Split([' ', '.', ',', '!', '?', ';', ':', '\n'], StringSplitOptions.RemoveEmptyEntries);

    /// <summary>The enum's member that one of the words names; its default where none does.</summary>
    private static T Named<T>(string[] words) where T : struct, Enum =>
        Enum.GetValues<T>().FirstOrDefault(value => words.Contains(value.ToString().ToLowerInvariant()));
}
