namespace Sora.Regions;

/// <summary>Where the given pictures lie on a larger canvas.</summary>
public enum CanvasPosition
{
    /// <summary>In the middle; of an odd number of free pixels the larger half is right and below.</summary>
    Center,

    /// <summary>At the left edge, in the middle of the height.</summary>
    Left,

    /// <summary>At the right edge, in the middle of the height.</summary>
    Right,

    /// <summary>At the top edge, in the middle of the width.</summary>
    Top,

    /// <summary>At the bottom edge, in the middle of the width.</summary>
    Bottom,

    /// <summary>In the corner.</summary>
    TopLeft,

    /// <summary>In the corner.</summary>
    TopRight,

    /// <summary>In the corner.</summary>
    BottomLeft,

    /// <summary>In the corner.</summary>
    BottomRight,
}
