namespace Sora.Training;

/// <summary>
/// Windows around the subject, cut out of pictures and clips of the drawn world. A picture is mostly scene, which is learned early;
/// a window shows the subject at its usual size, in every turn and place, at a fraction of the picture's patches.
/// </summary>
public sealed record CloseUps
{
    private static readonly ValueRange<int> s_counts = new(1, 10_000_000), s_sizes = new(8, 1024);
    private static readonly ValueRange<double> s_shares = new(0, 1);

    /// <summary>The number of windows whose latents are kept.</summary>
    public int Count { get; init => field = s_counts.Require("close_ups.count", value)!.Value; } = 40_000;

    /// <summary>A window's side in pixels: a multiple of what a patch covers, at most the shape's width and height.</summary>
    public int Size { get; init => field = s_sizes.Require("close_ups.size", value)!.Value; } = 40;

    /// <summary>The share of the steps on pictures that are on close-ups.</summary>
    /// <value>0 to 1. Default 0.5.</value>
    public double Share { get; init => field = s_shares.Require("close_ups.share", value)!.Value; } = 0.5;

    /// <summary>
    /// The share of the steps on clips that are on windows of their latents, of <see cref="Size"/> pixels along one side and of any length
    /// from that to the clip's along the other, through which the subject moves.
    /// </summary>
    /// <value>0 to 1. Default 0.</value>
    public double ClipShare { get; init => field = s_shares.Require("close_ups.clip_share", value)!.Value; }

    /// <summary>Refuses a window that cannot be cut out of the pictures, or into patches.</summary>
    /// <param name="shape">The pictures.</param>
    /// <param name="covered">The pixels that a patch covers along each side.</param>
    internal void Check(ClipShape shape, int covered)
    {
        int most = Math.Min(shape.Width, shape.Height);
        if (Size % covered == 0 && Size <= most)
            return;
        int nearest = Math.Clamp((Size + (covered / 2)) / covered, 1, most / covered) * covered;
        throw new SoraException($"close_ups.size {Size} is not allowed: a multiple of {covered}, at most {most}, the shorter side of shape; nearest: {nearest}.");
    }
}
