namespace Sora.Training.SpriteWorld;

/// <summary>What the subject of a clip does.</summary>
public enum Motion
{
    /// <summary>Moves to the left at constant speed.</summary>
    Left,

    /// <summary>Moves to the right at constant speed.</summary>
    Right,

    /// <summary>Moves upwards at constant speed.</summary>
    Up,

    /// <summary>Moves downwards at constant speed.</summary>
    Down,

    /// <summary>Bounces on the spot along parabolas, about once a second.</summary>
    Bounces,

    /// <summary>Stays where it is.</summary>
    Rests,

    /// <summary>Moves around a circle, clockwise.</summary>
    Circles,

    /// <summary>Turns around its own centre, clockwise.</summary>
    Spins,

    /// <summary>Becomes larger on the spot.</summary>
    Grows,

    /// <summary>Becomes smaller on the spot.</summary>
    Shrinks,
}
