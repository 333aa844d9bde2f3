namespace Sora.Training.SpriteWorld;

/// <summary>What a caption says; null: it does not say.</summary>
public sealed record CaptionMeaning
{
    /// <summary>The subject that it names.</summary>
    public Subject? Subject { get; init; }

    /// <summary>The scene that it names.</summary>
    public Scene? Scene { get; init; }

    /// <summary>The motion that its verb means.</summary>
    public Motion? Motion { get; init; }

    /// <summary>The colour it gives the subject; none named: <see cref="SubjectColour.Own"/>.</summary>
    public SubjectColour Colour { get; init; }

    /// <summary>The size it gives the subject.</summary>
    public SubjectSize Size { get; init; }

    /// <summary>Whether it says that the subject is tilted.</summary>
    public bool Tilted { get; init; }

    /// <summary>The time of day; none named: day.</summary>
    public TimeOfDay TimeOfDay { get; init; }

    /// <summary>The camera move; none named: still.</summary>
    public CameraMove Camera { get; init; }

    /// <summary>What it says of a second subject: its subject, motion, colour and size; null where it names one.</summary>
    public CaptionMeaning? Companion { get; init; }

    /// <summary>What the caption of a clip says when it says everything.</summary>
    public static CaptionMeaning Of(ClipDescription clip) => new()
    {
        Subject = clip.Subject,
        Scene = clip.Scene,
        Motion = clip.Motion,
        Colour = clip.Colour,
        Size = clip.Size,
        Tilted = clip.Tilt != 0,
        TimeOfDay = clip.TimeOfDay,
        Camera = clip.Camera,
        Companion = clip.Companion is { } other
            ? new() { Subject = other.Subject, Motion = other.Motion, Colour = other.Colour, Size = other.Size }
            : null,
    };
}
