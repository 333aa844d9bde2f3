using Sora.Frames;

namespace Sora.Conditioning;

/// <summary>A frame that a video shall show at a place: 0 is the first, <see cref="VideoRequest.FrameCount"/> − 1 the last.</summary>
/// <remarks>
/// <para>
/// A model works on latent frames, of which the first is the first frame of the video, and every other one stands for the
/// next <see cref="ModelLimits.TemporalStride"/> frames (4 in Wan). A latent frame is known as a whole or not at all.
/// Models with a time for each token, and text-to-video models, hold every latent frame of which at least one frame is
/// given; those of its frames that are not given repeat the nearest given one. So a single picture at index 0 is one
/// frame, and a single picture further on stands still for the four frames around it. Give all four for a motion.
/// </para>
/// <para>
/// Models whose input has channels for given frames (image-to-video models) hold the first frame, some of them also the
/// last: exactly that one. <see cref="ModelLimits.KnownFrames"/> says which.
/// </para>
/// </remarks>
/// <param name="Index">Its place in the video, from 0.</param>
/// <param name="Frame">The picture, of the video's width and height; its own index and time do not matter.</param>
public sealed record KnownFrame(int Index, VideoFrame Frame)
{
    private static readonly ValueRange<int> Places = new(0, 999_999);

    /// <summary>Its place in the video, from 0.</summary>
    /// <value>0 to 999999, and below the number of frames.</value>
    /// <exception cref="SoraException">Out of range.</exception>
    public int Index { get; init => field = Places.Require(nameof(Index), value)!.Value; } = Places.Require(nameof(Index), Index)!.Value;

    /// <summary>The picture, of the video's width and height.</summary>
    public VideoFrame Frame { get; init => field = Required(value); } = Required(Frame);

    private static VideoFrame Required(VideoFrame frame)
    {
        ArgumentNullException.ThrowIfNull(frame, nameof(Frame));
        return frame;
    }
}
