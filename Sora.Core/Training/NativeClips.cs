using Sora.Training.Data;
using Sora.Training.SpriteWorld;

namespace Sora.Training;

/// <summary>
/// Clips of the drawn world in sizes and lengths of their own, packed, besides those of one shape: a model learns other sizes, or more of the
/// catalogue, and does not forget the shape that it is for.
/// </summary>
public sealed record NativeClips
{
    private static readonly ValueRange<double> s_shares = new(0, 1);
    private static readonly ValueRange<int> s_clips = new(1, 10_000_000), s_pictures = new(0, 10_000_000);

    /// <summary>The share of all batches that are of these clips, spread evenly.</summary>
    /// <value>0 to 1. Default 0.25.</value>
    public double Share { get; init => field = s_shares.Require("native.share", value)!.Value; } = 0.25;

    /// <summary>The number of clips whose latents are kept.</summary>
    /// <value>1 to 10⁷. Default 2000.</value>
    public int Clips { get; init => field = s_clips.Require("native.clips", value)!.Value; } = 2000;

    /// <summary>The number of single pictures besides.</summary>
    /// <value>0 to 10⁷. Default 2000.</value>
    public int Pictures { get; init => field = s_pictures.Require("native.pictures", value)!.Value; } = 2000;

    /// <summary>Their sizes and lengths.</summary>
    public ClipShapes Shapes { get; init; } = new();

    /// <summary>The part of the catalogue that they show, by a name of <see cref="SpriteWorldConfig.Find"/>; null: the training's.</summary>
    /// <exception cref="SoraException">There is none of the name.</exception>
    public string? World { get; init => field = value is null ? null : SpriteWorldConfig.NameOf(SpriteWorldConfig.Find(value)); }
}
