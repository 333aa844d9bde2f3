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
    /// <summary>The video.</summary>
    /// <value>At least one frame, all of one size.</value>
    public ValueList<VideoFrame> Video { get; init => field = GivenVideo.Require(nameof(Video), value); } = GivenVideo.Require(nameof(Video), Video);

    /// <summary>How many frames the passage has.</summary>
    /// <value>As of <see cref="VideoConnection.GapFrames"/>.</value>
    public int GapFrames { get; init => field = VideoConnection.Lengths.Require(nameof(GapFrames), value)!.Value; } = VideoConnection.Lengths.Require(nameof(GapFrames), GapFrames)!.Value;

    private VideoConnection Connection => new(Video, Video, GapFrames);

    /// <summary>Generates the passage and gives the video and then the passage.</summary>
    /// <inheritdoc cref="VideoConnection.StreamAsync"/>
    public IAsyncEnumerable<VideoFrame> StreamAsync(
        VideoGenerator generator, VideoRequest request, IProgress<GenerationProgress>? progress = null, CancellationToken cancellationToken = default) =>
        Connection.JoinAsync(generator, request, [Video], progress, cancellationToken);

    /// <inheritdoc cref="VideoConnection.RecordOf"/>
    public GenerationRecord RecordOf(VideoGenerator generator, VideoRequest request) =>
        Connection.RecordOf(generator, request) with { Capability = "loop", GivenFrames = GenerationRecord.HashOf(Video) };

    /// <inheritdoc cref="VideoConnection.Check"/>
    public VideoRequest Check(VideoRequest request, ModelLimits limits) => Connection.Check(request, limits);
}
