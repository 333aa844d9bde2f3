namespace Sora.Frames;

/// <summary>How a picture is brought to a size of another shape.</summary>
public enum FrameFit
{
    /// <summary>Scale until the size is covered, then cut what sticks out, equally on both sides.</summary>
    Crop,

    /// <summary>Scale until the whole picture fits, then fill the rest with black, equally on both sides.</summary>
    Pad,

    /// <summary>Scale width and height on their own; the picture is distorted.</summary>
    Stretch,
}
