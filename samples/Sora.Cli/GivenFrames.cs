using Sora.Conditioning;
using Sora.Frames;

namespace Sora.Cli;

/// <summary>
/// Pictures and videos from files as a request takes them. They are scaled with Lanczos until they cover the video's size,
/// and what sticks out is cut, equally on both sides.
/// </summary>
internal static class GivenFrames
{
    /// <summary>The request with pictures at their places.</summary>
    /// <param name="request">The request; its size and length may be open.</param>
    /// <param name="first">The first frame's file; null: not given.</param>
    /// <param name="last">The last frame's file; null: not given.</param>
    /// <param name="others">Further ones.</param>
    /// <param name="limits">What fills the open size and length.</param>
    /// <param name="cancellationToken">Stops reading.</param>
    /// <exception cref="SoraException">A file cannot be read, or two pictures are for one place.</exception>
    public static VideoRequest Add(
        VideoRequest request, string? first, string? last, IReadOnlyList<FrameAt> others, ModelLimits limits, CancellationToken cancellationToken)
    {
        int end = (request.FrameCount ?? limits.FrameCount) - 1;
        FrameAt[] files =
        [
            .. first is null ? (FrameAt[])[] : [new(first, 0)],
            .. others,
            .. last is null ? (FrameAt[])[] : [new(last, end)],
        ];
        if (files.Length == 0)
            return request;
        VideoReadOptions size = SizeOf(request, limits);
        return request with
        {
            KnownFrames = [.. files.Select(file => new KnownFrame(file.Index, ImageReader.Read(file.File, size, cancellationToken)))],
        };
    }

    /// <summary>The request with a video as its source, at the request's or the model's size and rate.</summary>
    /// <param name="request">The request; without a length it takes the video's, up to the model's default.</param>
    /// <param name="video">The video's file.</param>
    /// <param name="limits">What fills the open size, length and rate.</param>
    /// <param name="cancellationToken">Stops reading.</param>
    /// <exception cref="SoraException">The file cannot be read, or has fewer frames than the request asks for.</exception>
    public static VideoRequest AddSource(VideoRequest request, string video, ModelLimits limits, CancellationToken cancellationToken)
    {
        bool picture = VideoReader.Probe(video, cancellationToken).IsImage;
        int rate = request.FramesPerSecond ?? limits.FramesPerSecond;
        int wanted = request.FrameCount ?? limits.FrameCount;
        VideoReadOptions options = SizeOf(request, limits) with { MaxFrames = picture ? 1 : wanted, FrameRate = picture ? null : rate };
        VideoFrame[] frames = [.. VideoReader.Read(video, options, cancellationToken)];
        if (frames.Length == 0)
            throw new SoraException($"{video} has no frames.");
        int usable = ((frames.Length - 1) / limits.TemporalStride * limits.TemporalStride) + 1;
        if (request.FrameCount is { } asked && frames.Length < asked)
            throw new SoraException($"{video} has {frames.Length} frames at {rate} a second, and {asked} were asked for; nearest: {usable}.");
        return request with { Source = [.. request.FrameCount is null ? frames[..usable] : frames] };
    }

    /// <summary>All frames of a video that is to be continued.</summary>
    /// <param name="video">The video's file; a picture is one frame.</param>
    /// <param name="request">Its size and rate; where the size is open, see <paramref name="limits"/>.</param>
    /// <param name="limits">
    /// What fills the open rate and size: the video's own size where the model can make it and it is at most four times the
    /// model's in area, else the model's.
    /// </param>
    /// <param name="cancellationToken">Stops reading.</param>
    /// <exception cref="SoraException">The file cannot be read.</exception>
    public static VideoFrame[] ReadAll(string video, VideoRequest request, ModelLimits limits, CancellationToken cancellationToken)
    {
        VideoInfo info = VideoReader.Probe(video, cancellationToken);
        bool fits = request.Width is null && info.Width % limits.SpatialStride == 0 && info.Height % limits.SpatialStride == 0
            && (long)info.Width * info.Height <= 4L * limits.Width * limits.Height;
        VideoReadOptions size = fits ? new() { Width = info.Width, Height = info.Height } : SizeOf(request, limits);
        VideoReadOptions options = size with { FrameRate = info.IsImage ? null : request.FramesPerSecond ?? limits.FramesPerSecond };
        VideoFrame[] frames = [.. VideoReader.Read(video, options, cancellationToken)];
        return frames.Length > 0 ? frames : throw new SoraException($"{video} has no frames.");
    }

    private static VideoReadOptions SizeOf(VideoRequest request, ModelLimits limits) =>
        new() { Width = request.Width ?? limits.Width, Height = request.Height ?? limits.Height };
}
