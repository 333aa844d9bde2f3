using System.Runtime.CompilerServices;
using Sora.Frames;
using Sora.Weights;

namespace Sora.Continuation;

/// <summary>
/// A video closed to a loop: a generated passage leads from its last frame back to its first. Its frames come back as they
/// were given. For a loop from a prompt alone see <see cref="VideoRequest.Loop"/>.
/// </summary>
/// <param name="Video">The video: at least one frame.</param>
/// <param name="GapFrames">How many frames the passage has: see <see cref="VideoConnection.GapFrames"/>.</param>
/// <exception cref="SoraException">A value lies outside its range.</exception>
public sealed record VideoLoop(ValueList<VideoFrame> Video, int GapFrames)
{
    private VideoConnection Connection => new(Video, Video, GapFrames);

    /// <summary>Generates the passage and gives the video and then the passage.</summary>
    /// <inheritdoc cref="VideoConnection.StreamAsync"/>
    public async IAsyncEnumerable<VideoFrame> StreamAsync(
        VideoGenerator generator, VideoRequest request, IProgress<GenerationProgress>? progress = null,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(generator);
        VideoRequest window = Check(request, generator.Limits);
        int index = 0;
        foreach (VideoFrame frame in Video)
            yield return GivenVideo.At(index++, frame, window);
        foreach (VideoFrame frame in await Connection.PassageAsync(generator, request, progress, cancellationToken).ConfigureAwait(false))
            yield return GivenVideo.At(index++, frame, window);
    }

    /// <inheritdoc cref="VideoConnection.RecordOf"/>
    public GenerationRecord RecordOf(VideoGenerator generator, VideoRequest request) =>
        Connection.RecordOf(generator, request) with { Capability = $"loop by {GapFrames} frames" };

    /// <inheritdoc cref="VideoConnection.Check"/>
    public VideoRequest Check(VideoRequest request, ModelLimits limits) => Connection.Check(request, limits);
}
