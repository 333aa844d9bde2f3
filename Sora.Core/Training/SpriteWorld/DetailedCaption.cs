namespace Sora.Training.SpriteWorld;

/// <summary>
/// The exact long caption of a clip: the full sentence, then everything else that the description decides. Sides are
/// left-hand and right-hand, since "left" and "right" alone name motions.
/// </summary>
public static class DetailedCaption
{
    private static readonly string[] s_sides = ["on the left-hand side", "in the middle", "on the right-hand side"];
    private static readonly string[] s_heights = ["high in the picture", "at half height", "low in the picture"];
    private static readonly string[] s_lengths = ["a quarter", "a third", "two fifths", "half", "two thirds"];
    private static readonly float[] s_lengthLimits = [0.29f, 0.37f, 0.45f, 0.56f];
    private static readonly string[] s_speeds = ["slowly", "steadily", "quickly"];

    /// <summary>Every word that can be in it and not in <see cref="Captions"/>, lower case.</summary>
    internal static IReadOnlyList<string> Words { get; } =
    [
        .. new[]
        {
            "It begins.", "It faces the left-hand right-hand side.", "Its length is of the picture's shorter side.",
            "It moves.", "It bounces again and again.", "The camera does not move.", "It is day sunset night.",
        }.Concat(s_sides).Concat(s_heights).Concat(s_lengths).Concat(s_speeds).SelectMany(CaptionParser.Words).Distinct(),
    ];

    /// <summary>Describes a clip in four to seven sentences.</summary>
    public static string Of(ClipDescription clip)
    {
        ArgumentNullException.ThrowIfNull(clip);
        string sentence = Captions.FullSentence(clip);
        if (clip.Companion is not null)
            return string.Join(' ', [$"{char.ToUpperInvariant(sentence[0])}{sentence[1..]}.", .. clip.Subjects.SelectMany(OfOne), .. OfScene(clip)]);
        List<string> sentences =
        [
            $"{char.ToUpperInvariant(sentence[0])}{sentence[1..]}.",
            $"It begins {s_sides[Third(clip.Start.X)]}, {s_heights[Third(clip.Start.Y)]}.",
            $"Its length is {LengthOf(clip)} of the picture's shorter side.",
        ];
        bool turned = clip.Motion is Motion.Left or Motion.Right;
        if (!turned && clip.Subject.Facing is Facing.Left or Facing.Right)
            sentences.Add($"It faces the {(clip.FacesRight ? "right" : "left")}-hand side.");
        if (turned || clip.Motion is Motion.Up or Motion.Down)
            sentences.Add($"It moves {s_speeds[clip.Speed < 0.235f ? 0 : clip.Speed > 0.265f ? 2 : 1]}.");
        if (clip.Motion == Motion.Bounces)
            sentences.Add("It bounces again and again.");
        return string.Join(' ', [.. sentences, .. OfScene(clip)]);
    }

    // "It" would be either of two: each is named again.
    private static IEnumerable<string> OfOne(ClipDescription clip)
    {
        yield return $"The {clip.Subject.Name} begins {s_sides[Third(clip.Start.X)]}, {s_heights[Third(clip.Start.Y)]}.";
        yield return $"The length of the {clip.Subject.Name} is {LengthOf(clip)} of the picture's shorter side.";
    }

    private static IEnumerable<string> OfScene(ClipDescription clip)
    {
        if (clip.Scene.HasSky)
            yield return $"It is {clip.TimeOfDay.ToString().ToLowerInvariant()}.";
        if (clip.Camera == CameraMove.Still)
            yield return "The camera does not move.";
    }

    private static string LengthOf(ClipDescription clip) => s_lengths[s_lengthLimits.Count(limit => clip.Extent > limit)];

    private static int Third(float at) => at < 0.42f ? 0 : at > 0.58f ? 2 : 1;
}
