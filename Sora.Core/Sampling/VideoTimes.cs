namespace Sora.Sampling;

/// <summary>Chooses how a video's time runs.</summary>
public static class VideoTimes
{
    private static readonly StraightTime Straight = new();
    private static readonly CircularTime Circular = new();

    /// <summary>The time of a request's video: a circle for a <see cref="VideoRequest.Loop"/>, else straight.</summary>
    public static IVideoTime Of(VideoRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        return request.Loop ? Circular : Straight;
    }
}
