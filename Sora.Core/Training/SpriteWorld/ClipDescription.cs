namespace Sora.Training.SpriteWorld;

/// <summary>
/// All that decides a clip's pixels. Positions and lengths are fractions of the frame and time is in seconds, so the
/// clip can be drawn in any size, frame count and frame rate.
/// </summary>
public sealed record ClipDescription
{
    /// <summary>What is shown.</summary>
    public required Subject Subject { get; init; }

    /// <summary>Where.</summary>
    public required Scene Scene { get; init; }

    /// <summary>What it does.</summary>
    public required Motion Motion { get; init; }

    /// <summary>Its colour.</summary>
    public SubjectColour Colour { get; init; }

    /// <summary>Its size as a word; <see cref="Extent"/> is the number.</summary>
    public SubjectSize Size { get; init; }

    /// <summary>The light of the scene.</summary>
    public TimeOfDay TimeOfDay { get; init; }

    /// <summary>How the scene moves.</summary>
    public CameraMove Camera { get; init; }

    /// <summary>Chooses the scene's details: clouds, stars, hills.</summary>
    public ulong SceneSeed { get; init; }

    /// <summary>How far it is turned clockwise all the time, in degrees, besides what its motion turns it by.</summary>
    public float Tilt { get; init; }

    /// <summary>Whether it faces right in motions that leave that open.</summary>
    public bool FacesRight { get; init; }

    /// <summary>The centre at time 0 as fractions of the frame's width and height.</summary>
    public required (float X, float Y) Start { get; init; }

    /// <summary>The longer side of the sprite as a fraction of the frame's shorter side.</summary>
    public required float Extent { get; init; }

    /// <summary>
    /// Frames a second for straight motion and growth, rounds a second for bounces, circles and spins.
    /// </summary>
    public float Speed { get; init; }

    /// <summary>
    /// A second subject, behind the first: what it is, its colour and its motion. Scene, light and camera are this clip's. Null: there is
    /// one subject.
    /// </summary>
    public ClipDescription? Companion { get; init; }

    /// <summary>The clip, and its companion as a clip of its own where it has one.</summary>
    internal IEnumerable<ClipDescription> Subjects => Companion is { } other ? [this, other] : [this];

    /// <summary>The height of bounces and the radius of circles, as a fraction of the frame.</summary>
    public float Reach { get; init; }
}
