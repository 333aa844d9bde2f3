namespace Sora.Training.SpriteWorld;

/// <summary>How a subject gets about: where in a scene it is, and the verbs that fit it.</summary>
public sealed class Locomotion
{
    /// <summary>Where the subject is in a scene that has a ground.</summary>
    public required Habitat Habitat { get; init; }

    /// <summary>Verbs of moving to a side ("runs"), before a direction.</summary>
    public required IReadOnlyList<Verb> Moves { get; init; }

    /// <summary>Verbs of moving up ("flies up", "rises").</summary>
    public required IReadOnlyList<Verb> Rises { get; init; }

    /// <summary>Verbs of moving down ("falls").</summary>
    public required IReadOnlyList<Verb> Falls { get; init; }

    /// <summary>Verbs of staying in place ("rests", "stays still").</summary>
    public required IReadOnlyList<Verb> Rests { get; init; }

    private static readonly Verb s_rises = new("rises", "rising");
    private static readonly Verb s_movesUp = new("moves up", "moving up");
    private static readonly Verb s_falls = new("falls", "falling");
    private static readonly Verb s_movesDown = new("moves down", "moving down");
    private static readonly Verb s_floatsUp = new("floats up", "floating up");
    private static readonly Verb s_floatsDown = new("floats down", "floating down");
    private static readonly Verb s_rests = new("rests", "resting");
    private static readonly Verb s_staysStill = new("stays still", "staying still");
    private static readonly Verb s_standsStill = new("stands still", "standing still");
    private static readonly Verb s_moves = new("moves", "moving");

    /// <summary>Dogs, horses: on their feet.</summary>
    public static Locomotion Runs { get; } = new()
    {
        Habitat = Habitat.Ground,
        Moves = [new("runs", "running"), new("walks", "walking"), s_moves],
        Rises = [s_rises, s_floatsUp, s_movesUp],
        Falls = [s_falls, s_floatsDown, s_movesDown],
        Rests = [s_rests, s_staysStill, s_standsStill],
    };

    /// <summary>Snails, turtles, crabs: slow on the ground.</summary>
    public static Locomotion Crawls { get; } = new()
    {
        Habitat = Habitat.Ground,
        Moves = [new("crawls", "crawling"), new("creeps", "creeping"), s_moves],
        Rises = [s_rises, s_floatsUp, s_movesUp],
        Falls = [s_falls, s_floatsDown, s_movesDown],
        Rests = [s_rests, s_staysStill],
    };

    /// <summary>Penguins and ducks: on two short legs.</summary>
    public static Locomotion Waddles { get; } = new()
    {
        Habitat = Habitat.Ground,
        Moves = [new("waddles", "waddling"), new("walks", "walking"), s_moves],
        Rises = [s_rises, s_floatsUp, s_movesUp],
        Falls = [s_falls, s_floatsDown, s_movesDown],
        Rests = [s_rests, s_staysStill, s_standsStill],
    };

    /// <summary>Fish and whales: in water, and afloat anywhere else.</summary>
    public static Locomotion Swims { get; } = new()
    {
        Habitat = Habitat.Water,
        Moves = [new("swims", "swimming"), new("glides", "gliding"), s_moves],
        Rises = [new("swims up", "swimming up"), s_rises, s_movesUp],
        Falls = [new("swims down", "swimming down"), new("sinks", "sinking"), s_movesDown],
        Rests = [s_rests, s_staysStill, new("floats still", "floating still")],
    };

    /// <summary>Butterflies, rockets, airplanes: through the air.</summary>
    public static Locomotion Flies { get; } = new()
    {
        Habitat = Habitat.Air,
        Moves = [new("flies", "flying"), s_moves],
        Rises = [new("flies up", "flying up"), s_rises, s_movesUp],
        Falls = [new("flies down", "flying down"), s_falls, s_movesDown],
        Rests = [s_rests, s_staysStill, new("hovers", "hovering")],
    };

    /// <summary>Balloons: carried by the air.</summary>
    public static Locomotion Drifts { get; } = new()
    {
        Habitat = Habitat.Air,
        Moves = [new("floats", "floating"), new("drifts", "drifting"), s_moves],
        Rises = [s_rises, s_floatsUp, s_movesUp],
        Falls = [s_falls, s_floatsDown, s_movesDown],
        Rests = [s_rests, s_staysStill, new("hovers", "hovering")],
    };

    /// <summary>Cars, buses, trucks: on wheels with a motor.</summary>
    public static Locomotion Drives { get; } = new()
    {
        Habitat = Habitat.Ground,
        Moves = [new("drives", "driving"), new("rolls", "rolling"), s_moves],
        Rises = [s_rises, s_floatsUp, s_movesUp],
        Falls = [s_falls, s_floatsDown, s_movesDown],
        Rests = [s_rests, s_staysStill, s_standsStill],
    };

    /// <summary>Balls and apples.</summary>
    public static Locomotion Rolls { get; } = new()
    {
        Habitat = Habitat.Ground,
        Moves = [new("rolls", "rolling"), s_moves],
        Rises = [s_rises, new("flies up", "flying up"), s_movesUp],
        Falls = [s_falls, new("drops", "dropping"), s_movesDown],
        Rests = [s_rests, s_staysStill, new("lies still", "lying still")],
    };

    /// <summary>Sailboats.</summary>
    public static Locomotion Sails { get; } = new()
    {
        Habitat = Habitat.Ground,
        Moves = [new("sails", "sailing"), s_moves],
        Rises = [s_rises, s_floatsUp, s_movesUp],
        Falls = [new("sinks", "sinking"), s_falls, s_movesDown],
        Rests = [s_rests, s_staysStill],
    };
}
