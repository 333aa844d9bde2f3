namespace Sora.Training.SpriteWorld;

/// <summary>The colour of a clip's subject.</summary>
public enum SubjectColour
{
    /// <summary>As it is drawn; captions name no colour.</summary>
    Own,

    /// <summary>Recoloured to red.</summary>
    Red,

    /// <summary>Recoloured to blue.</summary>
    Blue,

    /// <summary>Recoloured to green.</summary>
    Green,
}
