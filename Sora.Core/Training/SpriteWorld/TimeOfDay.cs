namespace Sora.Training.SpriteWorld;

/// <summary>The light of a scene.</summary>
public enum TimeOfDay
{
    /// <summary>Bright; captions do not mention it.</summary>
    Day,

    /// <summary>Warm light, an orange sky. Scenes without a sky (deep sea, starry space) are always at day.</summary>
    Sunset,

    /// <summary>Dark and bluish. Scenes without a sky (deep sea, starry space) are always at day.</summary>
    Night,
}
