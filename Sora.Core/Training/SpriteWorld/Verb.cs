namespace Sora.Training.SpriteWorld;

/// <summary>A verb in the two forms that captions use.</summary>
/// <param name="Present">Third person: "swims up".</param>
/// <param name="Continuous">After "is": "swimming up".</param>
public sealed record Verb(string Present, string Continuous);
