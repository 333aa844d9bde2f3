using Sora.Conditioning;
using Sora.Frames;
using Sora.Weights;

namespace Sora.Continuation;

/// <summary>Frames that someone gave, and requests about them.</summary>
internal static class GivenVideo
{
    /// <exception cref="SoraException">There are no frames, or they are of different sizes.</exception>
    public static ValueList<VideoFrame> Require(string setting, ValueList<VideoFrame> frames)
    {
        ArgumentNullException.ThrowIfNull(frames, setting);
        if (frames.Count == 0)
            throw new SoraException($"{setting} has no frames; at least one is needed.");
        VideoFrame first = frames[0];
        foreach (VideoFrame frame in frames)
        {
            if (frame.Width != first.Width || frame.Height != first.Height)
                throw new SoraException($"{setting} has frames of {first.Width}x{first.Height} and of {frame.Width}x{frame.Height}; they must be equal.");
        }
        return frames;
    }

    /// <summary>The request of every window: of the given size, with its seed, and without frames of its own.</summary>
    /// <exception cref="SoraException">The request has frames or a loop of its own, or asks for another size.</exception>
    public static VideoRequest BaseOf(VideoRequest request, VideoFrame given, ModelLimits limits)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (request.KnownFrames.Count > 0 || request.Source is not null || request.Loop || request.LaterPrompts.Count > 0)
            throw new SoraException("The request has known frames, a source or a loop of its own, or prompts that take over; the given video takes their place.");
        if ((request.Width ?? given.Width) != given.Width || (request.Height ?? given.Height) != given.Height)
            throw new SoraException($"The given frames are {given.Width}x{given.Height} and the request asks for {request.Width ?? given.Width}x{request.Height ?? given.Height}; they must be equal.");
        // With any known frames: which ones a window has is not known yet.
        int frames = request.FrameCount ?? limits.FrameCount;
        VideoRequest resolved = (request with { Width = given.Width, Height = given.Height, FrameCount = frames, WindowFrames = frames })
            .Resolve(limits with { KnownFrames = KnownFrameRule.Any });
        return resolved;
    }

    /// <summary>Frames in a row, the first of them at an index.</summary>
    public static IEnumerable<KnownFrame> Known(IEnumerable<VideoFrame> frames, int index) =>
        frames.Select((frame, i) => new KnownFrame(index + i, frame));

    /// <summary>The smallest 1 + s·n that is at least this.</summary>
    public static int WholeLength(int frames, int stride) => 1 + ((Math.Max(frames, 1) - 1 + stride - 1) / stride * stride);

    /// <summary>A frame at its place in the output.</summary>
    public static VideoFrame At(int index, VideoFrame frame, VideoRequest request) =>
        new(index, frame.Width, frame.Height, frame.Rgb, ((FrameRate)request.FramesPerSecond!.Value).TimeOf(index));
}
