namespace Sora.Training.SpriteWorld;

/// <summary>
/// The combinations that training never sees, to measure whether a model combines what it knows: a tenth of all pairs
/// of subject and motion, and a tenth of all pairs of subject and scene. Every subject, motion and scene is still
/// seen often. The list is part of what a trained model means: change it only together with the model.
/// </summary>
public static class HeldOutPairs
{
    // subject | the motion it never makes | the scene it is never in
    private const string Table = """
        dog | right | starry space
        cat | bounces | blue sky
        horse | rests | meadow
        cow | shrinks | -
        pig | rests | meadow
        rabbit | grows | beach
        bear | right | deep sea
        lion | circles | city street
        elephant | left | starry space
        penguin | spins | blue sky
        owl | bounces | -
        duck | shrinks | snowy mountains
        fish | circles | desert
        octopus | up | desert
        whale | up | beach
        crab | down | blue sky
        turtle | spins | -
        butterfly | down | -
        bee | shrinks | city street
        snail | grows | snowy mountains
        car | spins | deep sea
        bus | down | beach
        truck | circles | -
        train | right | deep sea
        bicycle | up | desert
        airplane | rests | meadow
        rocket | left | city street
        helicopter | left | starry space
        sailboat | bounces | desert
        balloon | left | snowy mountains
        ball | grows | snowy mountains
        apple | up | -
        """;

    /// <summary>Held-out pairs of a subject and a motion.</summary>
    public static IReadOnlySet<(Subject Subject, Motion Motion)> Motions { get; } = Rows()
        .Select(row => (SubjectCatalogue.Get(row[0]), Enum.Parse<Motion>(row[1], ignoreCase: true)))
        .ToHashSet();

    /// <summary>Held-out pairs of a subject and a scene.</summary>
    public static IReadOnlySet<(Subject Subject, Scene Scene)> Scenes { get; } = Rows()
        .Where(row => row[2] != "-")
        .Select(row => (SubjectCatalogue.Get(row[0]), SceneCatalogue.Get(row[2])))
        .ToHashSet();

    /// <summary>Whether one of the clip's subjects with its motion, or in the clip's scene, is held out.</summary>
    public static bool Contains(ClipDescription clip) =>
        clip.Subjects.Any(one => Motions.Contains((one.Subject, one.Motion)) || Scenes.Contains((one.Subject, clip.Scene)));

    private static IEnumerable<string[]> Rows() =>
        Table.Split('\n').Select(line => line.Split('|', StringSplitOptions.TrimEntries));
}
