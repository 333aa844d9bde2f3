namespace Sora.Training.SpriteWorld;

/// <summary>Where a subject is by nature.</summary>
public enum Habitat
{
    /// <summary>On the ground, where the scene has one.</summary>
    Ground,

    /// <summary>Above the ground.</summary>
    Air,

    /// <summary>In water; afloat in scenes without.</summary>
    Water,
}
