namespace Sora.Training.SpriteWorld;

/// <summary>Which part of the catalogue clips are sampled from. Sampling is uniform over each list.</summary>
public sealed record SpriteWorldConfig
{
    /// <summary>What clips show.</summary>
    public required IReadOnlyList<Subject> Subjects { get; init; }

    /// <summary>Where they take place.</summary>
    public required IReadOnlyList<Scene> Scenes { get; init; }

    /// <summary>What the subjects do.</summary>
    public required IReadOnlyList<Motion> Motions { get; init; }

    /// <summary>The subjects' colours.</summary>
    public IReadOnlyList<SubjectColour> Colours { get; init; } = Enum.GetValues<SubjectColour>();

    /// <summary>The subjects' sizes. Default: usual only.</summary>
    public IReadOnlyList<SubjectSize> Sizes { get; init; } = [SubjectSize.Usual];

    /// <summary>Times of day. Default: day only.</summary>
    public IReadOnlyList<TimeOfDay> TimesOfDay { get; init; } = [TimeOfDay.Day];

    /// <summary>Camera moves. Default: still only.</summary>
    public IReadOnlyList<CameraMove> CameraMoves { get; init; } = [CameraMove.Still];

    /// <summary>The share of clips with a second subject. Default: none.</summary>
    /// <value>0 to 1.</value>
    public float CompanionShare { get; init; }

    /// <summary>
    /// The probability with which a subject faces the other way than it is drawn, where its motion leaves that open. Short captions do not say
    /// which, and a small model that has learned both mixes them: a horse with a head at either end. One that has seen only the drawing cannot show
    /// it the other way in a motion that it was not trained on.
    /// </summary>
    /// <value>0 to 1. Default: 0.5.</value>
    public float MirroredShare { get; init; } = 0.5f;

    /// <summary>
    /// The share of clips, of those with one subject that does not spin, in which it is tilted, and the caption says so. A drawing is so seen from every
    /// side without its spinning: a model can show it in a turn that its motions never gave it.
    /// </summary>
    /// <value>0 to 1. Default: none.</value>
    public float TiltedShare { get; init; }

    /// <summary>
    /// How long sampled clips are meant to be, in seconds: straight motions cross about half of the frame in it.
    /// Default: 2.
    /// </summary>
    public float Seconds { get; init; } = 2f;

    /// <summary>Eight subjects, four scenes, six motions, four colours: what the pocket model is trained on.</summary>
    public static SpriteWorldConfig FirstEdition { get; } = new()
    {
        Subjects = Named(SubjectCatalogue.Get, "dog", "cat", "fish", "whale", "car", "rocket", "ball", "butterfly"),
        Scenes = Named(SceneCatalogue.Get, "meadow", "deep sea", "desert", "starry space"),
        Motions = [Motion.Left, Motion.Right, Motion.Up, Motion.Down, Motion.Bounces, Motion.Rests],
    };

    /// <summary>
    /// Every subject, scene and motion, by day, at the usual size and before a still camera. Three of four subjects that do not move to a side face
    /// as they are drawn.
    /// </summary>
    public static SpriteWorldConfig ByDay { get; } = new()
    {
        Subjects = SubjectCatalogue.All,
        Scenes = SceneCatalogue.All,
        Motions = Enum.GetValues<Motion>(),
        MirroredShare = 0.25f,
    };

    /// <summary>The whole catalogue.</summary>
    public static SpriteWorldConfig Everything { get; } = new()
    {
        Subjects = SubjectCatalogue.All,
        Scenes = SceneCatalogue.All,
        Motions = Enum.GetValues<Motion>(),
        Sizes = Enum.GetValues<SubjectSize>(),
        TimesOfDay = Enum.GetValues<TimeOfDay>(),
        CameraMoves = Enum.GetValues<CameraMove>(),
        CompanionShare = 0.25f,
    };

    private static IReadOnlyDictionary<string, SpriteWorldConfig> ByName { get; } = new Dictionary<string, SpriteWorldConfig>
    {
        ["first-edition"] = FirstEdition,
        ["by-day"] = ByDay,
        ["everything"] = Everything,
    };

    /// <summary>A part of the catalogue by its name: <c>first-edition</c>, <c>by-day</c> or <c>everything</c>.</summary>
    /// <exception cref="SoraException">There is none of the name.</exception>
    public static SpriteWorldConfig Find(string name) =>
        ByName.TryGetValue(name, out SpriteWorldConfig? config) ? config
        : throw new SoraException($"world '{name}' is unknown; known: {string.Join(", ", ByName.Keys)}{(NearestName.Find(name, ByName.Keys) is { } near ? $"; nearest: {near}" : "")}.");

    /// <summary>The name by which <see cref="Find"/> gives a part of the catalogue; null where it is another.</summary>
    public static string? NameOf(SpriteWorldConfig config) => ByName.FirstOrDefault(named => ReferenceEquals(named.Value, config)).Key;

    /// <summary>The name of <see cref="NameOf"/>; "own" where there is none.</summary>
    internal string Name => NameOf(this) ?? "own";

    private static IReadOnlyList<T> Named<T>(Func<string, T> get, params IEnumerable<string> names) =>
        [.. names.Select(get)];
}
