using System.Runtime.CompilerServices;
using Sora.Frames;
using Sora.Weights;

namespace Sora.Continuation;

/// <summary>
/// A video made longer. Its frames come back as they were given; what is added is generated window by window, each
/// window beginning (or, backward, ending) with frames that are there already.
/// </summary>
/// <param name="Video">The video: at least one frame, all of one size that the model can make.</param>
/// <param name="AddedFrames">How many frames are added in each chosen direction, 1 to 1000000.</param>
/// <exception cref="SoraException">A value lies outside its range.</exception>
public sealed record VideoExtension(ValueList<VideoFrame> Video, int AddedFrames)
{
    private static readonly ValueRange<int> Lengths = new(1, 1_000_000);

    // Backward windows have noise of their own.
    private const int BackwardNoise = 1 << 30;

    /// <summary>The video.</summary>
    /// <value>At least one frame, all of one size.</value>
    public ValueList<VideoFrame> Video { get; init => field = GivenVideo.Require(nameof(Video), value); } = GivenVideo.Require(nameof(Video), Video);

    /// <summary>How many frames are added in each chosen direction.</summary>
    /// <value>1 to 1000000.</value>
    public int AddedFrames { get; init => field = Lengths.Require(nameof(AddedFrames), value)!.Value; } = Lengths.Require(nameof(AddedFrames), AddedFrames)!.Value;

    /// <summary>Where they are added.</summary>
    /// <value>By default <see cref="ExtensionDirection.Forward"/>.</value>
    public ExtensionDirection Direction { get; init; }

    /// <summary>
    /// How many frames a window takes over from what is there. They show it what moves and how; more hold the motion
    /// better and leave less of the window to be generated.
    /// </summary>
    /// <value>
    /// 1 to 10000, by default 9; taken down to whole latent frames (1 + 4k forward, 4k backward) and to half a window.
    /// Models that take a first frame only use 1.
    /// </value>
    public int OverlapFrames { get; init => field = Overlap.Range.Require(nameof(OverlapFrames), value)!.Value; } = 9;

    /// <summary>Generates the added frames and gives the whole video in order, forward frames as they are decoded.</summary>
    /// <remarks>Frames before the video are all made before the first one is given: the first is the last to be generated.</remarks>
    /// <param name="generator">The model.</param>
    /// <param name="request">
    /// The prompt and the settings; <see cref="VideoRequest.FrameCount"/> is the length of a window, by default the model's.
    /// Width and height are the video's.
    /// </param>
    /// <param name="progress">Told each window's steps.</param>
    /// <param name="cancellationToken">Honoured within one step or one decoded chunk.</param>
    /// <exception cref="SoraException">The model cannot extend videos so, or cannot make this size.</exception>
    public async IAsyncEnumerable<VideoFrame> StreamAsync(
        VideoGenerator generator, VideoRequest request, IProgress<GenerationProgress>? progress = null,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(generator);
        VideoRequest window = Check(request, generator.Limits);
        int index = 0;
        if (Direction != ExtensionDirection.Forward)
        {
            foreach (VideoFrame frame in await BackwardAsync(generator, window, progress, cancellationToken).ConfigureAwait(false))
                yield return GivenVideo.At(index++, frame, window);
        }
        foreach (VideoFrame frame in Video)
            yield return GivenVideo.At(index++, frame, window);
        if (Direction != ExtensionDirection.Backward)
        {
            await foreach (VideoFrame frame in ForwardAsync(generator, window, progress, cancellationToken).ConfigureAwait(false))
                yield return GivenVideo.At(index++, frame, window);
        }
    }

    /// <summary>Finds out, without loading weights, whether a model can do it, and fills the request: its values for every window.</summary>
    /// <exception cref="SoraException">It cannot; the message says why.</exception>
    public VideoRequest Check(VideoRequest request, ModelLimits limits)
    {
        ArgumentNullException.ThrowIfNull(limits);
        VideoRequest window = GivenVideo.BaseOf(request, Video[0], limits);
        if (window.FrameCount <= limits.TemporalStride)
            throw new SoraException($"FrameCount {window.FrameCount} is too short for a window, which begins with known frames; nearest: {1 + limits.TemporalStride}.");
        if (Direction != ExtensionDirection.Forward)
            Overlap.AtEnd(limits, OverlapFrames, Video.Count);
        if (Direction != ExtensionDirection.Backward)
            Overlap.AtStart(limits, OverlapFrames, Video.Count);
        return window;
    }

    /// <summary>What a file of the result carries.</summary>
    /// <exception cref="SoraException">As for <see cref="StreamAsync"/>.</exception>
    public GenerationRecord RecordOf(VideoGenerator generator, VideoRequest request)
    {
        ArgumentNullException.ThrowIfNull(generator);
        return generator.RecordOf(Check(request, generator.Limits) with { OverlapFrames = OverlapFrames }) with
        {
            Capability = "extend",
            Direction = Direction,
            AddedFrames = AddedFrames,
            GivenFrames = GenerationRecord.HashOf(Video),
        };
    }

    private async IAsyncEnumerable<VideoFrame> ForwardAsync(
        VideoGenerator generator, VideoRequest window, IProgress<GenerationProgress>? progress, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ModelLimits limits = generator.Limits;
        int stride = limits.TemporalStride;
        var tail = new List<VideoFrame>(Video.TakeLast(OverlapFrames));
        for (int added = 0; added < AddedFrames;)
        {
            int overlap = Overlap.AtStart(limits, Math.Min(OverlapFrames, Half(window)), tail.Count);
            int length = Math.Min(window.FrameCount!.Value, GivenVideo.WholeLength(overlap + AddedFrames - added, stride));
            VideoRequest next = window with
            {
                FrameCount = length,
                KnownFrames = [.. GivenVideo.Known(tail.TakeLast(overlap), 0)],
                FirstLatentFrame = Math.Max(0, Video.Count + added - overlap) / stride,
            };
            JointFade? fade = null;
            await foreach (VideoFrame frame in generator.StreamAsync(next, progress, cancellationToken).ConfigureAwait(false))
            {
                if (frame.Index == overlap - 1)
                    fade = new(tail[^1], frame, length - overlap);
                if (frame.Index < overlap || added == AddedFrames)
                    continue;
                VideoFrame joined = fade!.Apply(frame, frame.Index - overlap);
                tail.Add(joined);
                added++;
                yield return joined;
            }
            tail.RemoveRange(0, Math.Max(0, tail.Count - OverlapFrames));
        }
    }

    // Window by window away from the video; the result is in order.
    private async Task<IReadOnlyList<VideoFrame>> BackwardAsync(
        VideoGenerator generator, VideoRequest window, IProgress<GenerationProgress>? progress, CancellationToken cancellationToken)
    {
        ModelLimits limits = generator.Limits;
        int stride = limits.TemporalStride;
        var reversed = new List<VideoFrame>();
        VideoFrame[] head = [.. Video.Take(OverlapFrames)];
        while (reversed.Count < AddedFrames)
        {
            int end = Overlap.AtEnd(limits, Math.Min(OverlapFrames, Half(window)), head.Length);
            int known = Math.Min(end, head.Length);
            int length = Math.Min(window.FrameCount!.Value, GivenVideo.WholeLength(end + AddedFrames - reversed.Count, stride));
            int fresh = length - end;
            VideoRequest next = window with
            {
                FrameCount = length,
                KnownFrames = [.. GivenVideo.Known(head.Take(known), length - known)],
                FirstLatentFrame = BackwardNoise - ((reversed.Count + fresh) / stride),
            };
            using GeneratedVideo made = await generator.GenerateAsync(next, progress, cancellationToken).ConfigureAwait(false);
            var fade = new JointFade(head[0], made.Frames[length - known], fresh);
            for (int i = 0; i < fresh && reversed.Count < AddedFrames; i++)
                reversed.Add(fade.Apply(made.Frames[fresh - 1 - i], i));
            head = [.. reversed.AsEnumerable().Reverse().Concat(Video.Take(OverlapFrames)).Take(OverlapFrames)];
        }
        reversed.Reverse();
        return reversed;
    }

    private static int Half(VideoRequest window) => (window.FrameCount!.Value + 1) / 2;
}
