namespace Sora.Training.SpriteWorld;

/// <summary>Which way a subject's sprite is drawn, and so how it is made to face its motion.</summary>
public enum Facing
{
    /// <summary>Drawn facing left: mirrored to face right.</summary>
    Left,

    /// <summary>Drawn facing right: mirrored to face left.</summary>
    Right,

    /// <summary>Drawn from the front, or the same from all sides: never mirrored.</summary>
    Front,

    /// <summary>Drawn with its nose to the upper right: turned so that the nose points where it moves.</summary>
    UpRight,
}
