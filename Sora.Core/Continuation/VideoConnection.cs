using System.Runtime.CompilerServices;
using Sora.Frames;
using Sora.Weights;

namespace Sora.Continuation;

/// <summary>
/// Two videos made one: the first, a generated passage, the second. The given frames come back as they were given; the
/// passage is one window that begins with the first video's last frames and ends with the second's first.
/// </summary>
/// <param name="First">The first video: at least one frame.</param>
/// <param name="Second">The second one, of the same size.</param>
/// <param name="GapFrames">How many frames the passage has, 1 to 1000000; a multiple of the model's temporal stride.</param>
/// <exception cref="SoraException">A value lies outside its range.</exception>
public sealed record VideoConnection(ValueList<VideoFrame> First, ValueList<VideoFrame> Second, int GapFrames)
{
    internal static readonly ValueRange<int> Lengths = new(1, 1_000_000);

    /// <summary>The first video.</summary>
    /// <value>At least one frame, all of one size.</value>
    public ValueList<VideoFrame> First { get; init => field = GivenVideo.Require(nameof(First), value); } = GivenVideo.Require(nameof(First), First);

    /// <summary>The second video.</summary>
    /// <value>At least one frame, all of the first video's size.</value>
    public ValueList<VideoFrame> Second { get; init => field = GivenVideo.Require(nameof(Second), value); } = GivenVideo.Require(nameof(Second), Second);

    /// <summary>How many frames the passage has.</summary>
    /// <value>1 to 1000000; a multiple of <see cref="ModelLimits.TemporalStride"/>, in models that take one frame at either end one less.</value>
    public int GapFrames { get; init => field = Lengths.Require(nameof(GapFrames), value)!.Value; } = Lengths.Require(nameof(GapFrames), GapFrames)!.Value;

    /// <summary>How many frames of either video the window takes over.</summary>
    /// <value>
    /// 1 to 10000, by default 5; taken down to whole latent frames (1 + 4k of the first video, 4k of the second). Models
    /// that take a first and a last frame use 1.
    /// </value>
    public int OverlapFrames { get; init => field = Overlap.Range.Require(nameof(OverlapFrames), value)!.Value; } = 5;

    /// <summary>Generates the passage and gives the whole video in order.</summary>
    /// <param name="generator">The model.</param>
    /// <param name="request">The prompt and the settings; the length follows from the passage, width and height from the videos.</param>
    /// <param name="progress">Told each step.</param>
    /// <param name="cancellationToken">Honoured within one step or one decoded chunk.</param>
    /// <exception cref="SoraException">The model cannot connect videos, or cannot make this size or length.</exception>
    public IAsyncEnumerable<VideoFrame> StreamAsync(
        VideoGenerator generator, VideoRequest request, IProgress<GenerationProgress>? progress = null, CancellationToken cancellationToken = default) =>
        JoinAsync(generator, request, [First, Second], progress, cancellationToken);

    /// <summary>Finds out, without loading weights, whether a model can do it, and fills the request: that of the window.</summary>
    /// <exception cref="SoraException">It cannot; the message says why.</exception>
    public VideoRequest Check(VideoRequest request, ModelLimits limits)
    {
        ArgumentNullException.ThrowIfNull(limits);
        ArgumentNullException.ThrowIfNull(request);
        if (First[0].Width != Second[0].Width || First[0].Height != Second[0].Height)
            throw new SoraException($"First is {First[0].Width}x{First[0].Height} and Second {Second[0].Width}x{Second[0].Height}; they must be equal.");
        (int start, int end) = Overlap.AtBoth(limits, OverlapFrames, First.Count, Second.Count);
        int length = start + GapFrames + end, whole = GivenVideo.WholeLength(length, limits.TemporalStride), above = GapFrames + whole - length;
        if (above != GapFrames)
        {
            int below = above - limits.TemporalStride;
            throw new SoraException($"GapFrames {GapFrames} does not fill whole latent frames; nearest: {(below > 0 ? $"{below}, " : "")}{above}.");
        }
        return GivenVideo.BaseOf(request with { FrameCount = length }, First[0], limits) with
        {
            KnownFrames = [.. GivenVideo.Known(First.TakeLast(start), 0), .. GivenVideo.Known(Second.Take(end), length - Math.Min(end, Second.Count))],
        };
    }

    /// <summary>What a file of the result carries.</summary>
    /// <exception cref="SoraException">As for <see cref="StreamAsync"/>.</exception>
    public GenerationRecord RecordOf(VideoGenerator generator, VideoRequest request)
    {
        ArgumentNullException.ThrowIfNull(generator);
        return generator.RecordOf(Check(request, generator.Limits) with { OverlapFrames = OverlapFrames }) with
        {
            Capability = "connect",
            GapFrames = GapFrames,
            GivenFrames = GenerationRecord.HashOf(First, Second),
        };
    }

    /// <summary>Gives the first of some videos, the passage, and the others.</summary>
    internal async IAsyncEnumerable<VideoFrame> JoinAsync(
        VideoGenerator generator, VideoRequest request, IReadOnlyList<ValueList<VideoFrame>> around, IProgress<GenerationProgress>? progress,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(generator);
        VideoRequest window = Check(request, generator.Limits);
        int index = 0;
        foreach (VideoFrame frame in around[0])
            yield return GivenVideo.At(index++, frame, window);
        foreach (VideoFrame frame in await PassageAsync(generator, window, progress, cancellationToken).ConfigureAwait(false))
            yield return GivenVideo.At(index++, frame, window);
        foreach (VideoFrame frame in around.Skip(1).SelectMany(video => video))
            yield return GivenVideo.At(index++, frame, window);
    }

    // The frames between the two videos, from the checked request.
    private async Task<IReadOnlyList<VideoFrame>> PassageAsync(
        VideoGenerator generator, VideoRequest window, IProgress<GenerationProgress>? progress, CancellationToken cancellationToken)
    {
        (int start, int end) = Overlap.AtBoth(generator.Limits, OverlapFrames, First.Count, Second.Count);
        using GeneratedVideo made = await generator.GenerateAsync(window, progress, cancellationToken).ConfigureAwait(false);
        var after = new JointFade(First[^1], made.Frames[start - 1], GapFrames);
        var before = new JointFade(Second[0], made.Frames[made.Frames.Count - Math.Min(end, Second.Count)], GapFrames);
        return [.. Enumerable.Range(0, GapFrames).Select(i => before.Apply(after.Apply(made.Frames[start + i], i), GapFrames - 1 - i))];
    }
}
