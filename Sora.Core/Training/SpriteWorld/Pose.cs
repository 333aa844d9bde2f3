namespace Sora.Training.SpriteWorld;

/// <summary>How a sprite is shown.</summary>
internal enum Pose
{
    /// <summary>As drawn from the front, or the nose up.</summary>
    Upright,

    /// <summary>Facing left.</summary>
    Left,

    /// <summary>Facing right.</summary>
    Right,

    /// <summary>The nose down.</summary>
    Down,
}
