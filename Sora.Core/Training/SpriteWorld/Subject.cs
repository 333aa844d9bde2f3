namespace Sora.Training.SpriteWorld;

/// <summary>Something that a clip shows: a row of <see cref="SubjectCatalogue"/>.</summary>
/// <param name="Name">The noun of captions: "fish".</param>
/// <param name="CodePoint">The emoji whose drawing it is, as the sprite's file name without ".png": "1f41f".</param>
/// <param name="Facing">Which way that drawing faces.</param>
/// <param name="Locomotion">How it gets about.</param>
public sealed record Subject(string Name, string CodePoint, Facing Facing, Locomotion Locomotion)
{
    /// <summary>
    /// The named colour that the drawing has by itself; <see cref="SubjectColour.Own"/>: none of them.
    /// </summary>
    public SubjectColour DrawnColour { get; init; } = SubjectColour.Own;

    /// <summary>Hues (degrees) that recolouring leaves alone, such as a car's windows; null: none.</summary>
    public (float From, float To)? KeptHues { get; init; }

    /// <summary>Whether recolouring leaves greys alone, such as tyres and chrome.</summary>
    public bool KeepsGreys { get; init; }

    /// <summary>The name.</summary>
    public override string ToString() => Name;
}
