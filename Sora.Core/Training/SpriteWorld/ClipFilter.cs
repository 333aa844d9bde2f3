namespace Sora.Training.SpriteWorld;

/// <summary>Fixes some properties of a sampled clip; null leaves one to chance.</summary>
public sealed record ClipFilter
{
    /// <summary>The subject.</summary>
    public Subject? Subject { get; init; }

    /// <summary>The scene.</summary>
    public Scene? Scene { get; init; }

    /// <summary>The motion.</summary>
    public Motion? Motion { get; init; }

    /// <summary>The colour.</summary>
    public SubjectColour? Colour { get; init; }
}
