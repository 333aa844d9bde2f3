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
        return request with { Source = [.. ReadClip(video, request, SizeOf(request, limits), limits, cancellationToken)] };
    }

    /// <summary>The request, which has a source, with a mask.</summary>
    /// <param name="request">The request with its source.</param>
    /// <param name="mask">The mask's file: a picture for all frames, or a video with a frame for each.</param>
    /// <param name="video">The source's file, whose size the mask has; it is scaled and cut as the source is.</param>
    /// <param name="limits">What fills the open size, length and rate.</param>
    /// <param name="cancellationToken">Stops reading.</param>
    /// <exception cref="SoraException">The file cannot be read, or is of another size or length.</exception>
    public static VideoRequest AddMask(VideoRequest request, string mask, string video, ModelLimits limits, CancellationToken cancellationToken)
    {
        VideoInfo own = VideoReader.Probe(mask, cancellationToken), given = VideoReader.Probe(video, cancellationToken);
        if (own.Width != given.Width || own.Height != given.Height)
            throw new SoraException($"{mask} is {own.Width}x{own.Height} and {video} {given.Width}x{given.Height}; a mask has the size of its video.");
        VideoReadOptions options = OptionsOf(own, request, SizeOf(request, limits), limits);
        // Both are cut at the same length; before that they must agree.
        FrameMask[] frames = [.. VideoReader.Read(mask, options, cancellationToken).Select(FrameMask.From)];
        int read = own.IsImage ? 1 : VideoReader.Read(video, OptionsOf(given, request, new(), limits), cancellationToken).Count();
        if (!own.IsImage && frames.Length != read)
            throw new SoraException($"{mask} has {frames.Length} frames at {options.FrameRate} a second and {video} {read}; a mask is one picture, or has a frame for each.");
        return request with { Mask = [.. frames.Take(request.Source!.Count)] };
    }

    /// <summary>The frames of a video that becomes another one of as many frames, in the file's own size: see <see cref="AddSource"/>.</summary>
    /// <exception cref="SoraException">The file cannot be read, or has fewer frames than the request asks for.</exception>
    public static VideoFrame[] ReadClip(string video, VideoRequest request, ModelLimits limits, CancellationToken cancellationToken) =>
        ReadClip(video, request, new(), limits, cancellationToken);

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

    private static VideoFrame[] ReadClip(string video, VideoRequest request, VideoReadOptions size, ModelLimits limits, CancellationToken cancellationToken)
    {
        VideoReadOptions options = OptionsOf(VideoReader.Probe(video, cancellationToken), request, size, limits);
        VideoFrame[] frames = [.. VideoReader.Read(video, options, cancellationToken)];
        if (frames.Length == 0)
            throw new SoraException($"{video} has no frames.");
        int usable = ((frames.Length - 1) / limits.TemporalStride * limits.TemporalStride) + 1;
        if (request.FrameCount is { } asked && frames.Length < asked)
            throw new SoraException($"{video} has {frames.Length} frames at {options.FrameRate} a second, and {asked} were asked for; nearest: {usable}.");
        return request.FrameCount is null ? frames[..usable] : frames;
    }

    // At the request's rate, up to its length or the model's.
    private static VideoReadOptions OptionsOf(VideoInfo file, VideoRequest request, VideoReadOptions size, ModelLimits limits) => size with
    {
        MaxFrames = file.IsImage ? 1 : request.FrameCount ?? limits.FrameCount,
        FrameRate = file.IsImage ? null : request.FramesPerSecond ?? limits.FramesPerSecond,
    };

    private static VideoReadOptions SizeOf(VideoRequest request, ModelLimits limits) =>
        new() { Width = request.Width ?? limits.Width, Height = request.Height ?? limits.Height };
}
