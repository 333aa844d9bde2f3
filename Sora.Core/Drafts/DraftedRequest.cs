using Sora.Frames;

namespace Sora.Drafts;

/// <summary>
/// The two requests that a request with <see cref="VideoRequest.Draft"/> consists of: the draft, and its refinement at full
/// size, which starts from the draft scaled up and in part covered with noise (SDEdit, Meng et al. 2021, arXiv 2108.01073).
/// </summary>
public static class DraftedRequest
{
    /// <summary>The draft alone: the same request at the draft's size. Its video is what the refinement starts from.</summary>
    /// <param name="request">A request with a draft.</param>
    /// <param name="limits">The model's limits.</param>
    /// <exception cref="SoraException">The request has no draft, or the model cannot make it.</exception>
    public static VideoRequest DraftOf(VideoRequest request, ModelLimits limits)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(limits);
        VideoRequest full = request.Resolve(limits);
        if (full.Draft is not { } share)
            throw new SoraException("The request has no draft; set Draft to the share of its size, such as 0.5.");
        PixelSize size = DraftSize.Of(full.Width!.Value, full.Height!.Value, share, limits.SpatialStride);
        return full with
        {
            Draft = null,
            DraftStrength = null,
            Width = size.Width,
            Height = size.Height,
            // A shift of one's own is kept; the model's is that of the size.
            Shift = full.Shift == limits.ShiftOf(full.Width.Value, full.Height.Value, full.FrameCount!.Value)
                ? limits.ShiftOf(size.Width, size.Height, full.FrameCount.Value) : full.Shift,
            KnownFrames = [.. full.KnownFrames.Select(known => known with { Frame = Resize(known.Frame, size) })],
            Noise = null,
        };
    }

    /// <summary>The refinement of a resolved request's draft.</summary>
    /// <param name="request">The resolved request.</param>
    /// <param name="draft">The draft's frames.</param>
    internal static VideoRequest RefinementOf(VideoRequest request, IEnumerable<VideoFrame> draft)
    {
        var size = new PixelSize(request.Height!.Value, request.Width!.Value);
        return request with
        {
            Draft = null,
            DraftStrength = null,
            Source = [.. draft.Select(frame => Resize(frame, size))],
            Strength = request.DraftStrength,
        };
    }

    private static VideoFrame Resize(VideoFrame frame, PixelSize size) =>
        new(frame.Index, size.Width, size.Height, BicubicResize.Apply(frame, size.Height, size.Width, 0, 0, size), frame.Timestamp);
}
