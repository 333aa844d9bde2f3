namespace Sora.Training.SpriteWorld;

/// <summary>The 32 subjects of the sprite world. Drawings: Noto Emoji by Google, Apache License 2.0.</summary>
public static class SubjectCatalogue
{
    /// <summary>All subjects.</summary>
    public static IReadOnlyList<Subject> All { get; } =
    [
        new("dog", "1f415", Facing.Left, Locomotion.Runs),
        new("cat", "1f408", Facing.Left, Locomotion.Runs),
        new("horse", "1f40e", Facing.Left, Locomotion.Runs),
        new("cow", "1f404", Facing.Left, Locomotion.Runs),
        new("pig", "1f416", Facing.Left, Locomotion.Runs),
        new("rabbit", "1f407", Facing.Left, Locomotion.Runs),
        new("bear", "1f9f8", Facing.Front, Locomotion.Runs),
        new("lion", "1f981", Facing.Front, Locomotion.Runs),
        new("elephant", "1f418", Facing.Left, Locomotion.Runs),
        new("penguin", "1f427", Facing.Left, Locomotion.Waddles),
        new("owl", "1f989", Facing.Front, Locomotion.Flies),
        new("duck", "1f986", Facing.Left, Locomotion.Waddles),
        new("fish", "1f41f", Facing.Left, Locomotion.Swims) { DrawnColour = SubjectColour.Blue },
        new("octopus", "1f419", Facing.Front, Locomotion.Swims) { DrawnColour = SubjectColour.Red },
        new("whale", "1f40b", Facing.Left, Locomotion.Swims),
        new("crab", "1f980", Facing.Front, Locomotion.Crawls) { DrawnColour = SubjectColour.Red },
        new("turtle", "1f422", Facing.Left, Locomotion.Crawls) { DrawnColour = SubjectColour.Green },
        new("butterfly", "1f98b", Facing.Front, Locomotion.Flies),
        new("bee", "1f41d", Facing.Left, Locomotion.Flies) { KeptHues = (180f, 220f) },
        new("snail", "1f40c", Facing.Left, Locomotion.Crawls),
        new("car", "1f697", Facing.Left, Locomotion.Drives)
        {
            DrawnColour = SubjectColour.Red, KeptHues = (180f, 230f), KeepsGreys = true,
        },
        new("bus", "1f68c", Facing.Left, Locomotion.Drives),
        new("truck", "1f69a", Facing.Left, Locomotion.Drives) { KeptHues = (180f, 230f), KeepsGreys = true },
        new("train", "1f682", Facing.Left, Locomotion.Drives) { KeepsGreys = true },
        new("bicycle", "1f6b2", Facing.Left, Locomotion.Rolls),
        new("airplane", "2708-fe0f", Facing.UpRight, Locomotion.Flies),
        new("rocket", "1f680", Facing.UpRight, Locomotion.Flies) { KeptHues = (30f, 70f) },
        new("helicopter", "1f681", Facing.Left, Locomotion.Flies) { KeptHues = (180f, 230f), KeepsGreys = true },
        new("sailboat", "26f5", Facing.Left, Locomotion.Sails) { DrawnColour = SubjectColour.Red },
        new("balloon", "1f388", Facing.Front, Locomotion.Drifts) { DrawnColour = SubjectColour.Red },
        new("ball", "26bd", Facing.Front, Locomotion.Rolls),
        new("apple", "1f34e", Facing.Front, Locomotion.Rolls) { DrawnColour = SubjectColour.Red },
    ];

    private static readonly Dictionary<string, Subject> s_byName = All.ToDictionary(subject => subject.Name);

    /// <summary>The subject of that name; null: there is none.</summary>
    public static Subject? Find(string name) => s_byName.GetValueOrDefault(name);

    /// <summary>The subject of that name.</summary>
    /// <exception cref="SoraException">There is none of that name; the message lists them.</exception>
    public static Subject Get(string name) => Find(name)
        ?? throw new SoraException($"There is no subject \"{name}\"; there are: {string.Join(", ", All)}.");
}
