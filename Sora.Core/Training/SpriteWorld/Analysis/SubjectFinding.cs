using System.Numerics;

namespace Sora.Training.SpriteWorld.Analysis;

/// <summary>What <see cref="SubjectRecognition"/> found.</summary>
/// <param name="Subject">The subject that explains the video best.</param>
/// <param name="Colour">Its colour.</param>
/// <param name="Gain">The mean gain a frame; 0 or less: nothing was found.</param>
/// <param name="Track">Where it is, one sighting a frame.</param>
/// <param name="Turns">Whether it turns around its own centre.</param>
/// <param name="Background">The scene without it, [H · W].</param>
/// <param name="BackgroundWidth">W.</param>
internal sealed record SubjectFinding(
    Subject Subject,
    SubjectColour Colour,
    float Gain,
    IReadOnlyList<Sighting> Track,
    bool Turns,
    Vector3[] Background,
    int BackgroundWidth);
