using Sora.Frames;

namespace Sora.Training.Data;

/// <summary>Which folder is read, and how its files become clips.</summary>
/// <param name="Folder">The folder; folders in it are read too.</param>
/// <param name="Strides">What sizes and lengths must be for the model.</param>
public sealed record VideoFolderOptions(string Folder, ClipStrides Strides)
{
    /// <summary>The default of <see cref="LongestCaption"/>.</summary>
    public const int DefaultLongestCaption = 4000;

    /// <summary>The greatest area, and the least and greatest lengths.</summary>
    public ClipShapes Shapes { get; init; } = new();

    /// <summary>Frames a second at which videos are trained on; the nearest frames in time are taken. Default 8.</summary>
    public FrameRate FrameRate { get; init; } = 8;

    /// <summary>The least difference of a cut; see <see cref="ShotDetection"/>.</summary>
    public double CutThreshold { get; init; } = ShotDetection.DefaultThreshold;

    /// <summary>The longest caption in characters; longer ones are cut at a word, with a note.</summary>
    public int LongestCaption { get; init; } = DefaultLongestCaption;

    /// <summary>Whether files without a caption are passed over. Default true; an autoencoder needs none.</summary>
    public bool NeedsCaptions { get; init; } = true;

    /// <summary>A file in which scans are kept; null: each start reads every video once from its beginning to its end.</summary>
    public string? ScanFile { get; init; }
}
