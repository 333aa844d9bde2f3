using System.Globalization;
using System.Runtime.CompilerServices;
using Sora.Conditioning;
using Sora.Frames;
using Sora.Weights;

namespace Sora.Storyboards;

/// <summary>A video told in advance: what it shows from when to when, and pictures at given times.</summary>
/// <param name="Segments">What it shows, without gaps from 0 on.</param>
/// <exception cref="SoraException">There are no segments, or they leave gaps, overlap or go back in time.</exception>
public sealed record Storyboard(ValueList<StoryboardSegment> Segments)
{
    // Times in a file are decimals of seconds: what lies closer together is the same.
    private const double SameTime = 1e-6;

    /// <summary>What the video shows, without gaps from 0 on.</summary>
    /// <value>At least one segment.</value>
    public ValueList<StoryboardSegment> Segments { get; init => field = RequireInOrder(value); } = RequireInOrder(Segments);

    /// <summary>Pictures that it shows at given times.</summary>
    /// <value>Empty by default.</value>
    public ValueList<StoryboardFrame> Frames { get; init; } = [];

    /// <summary>
    /// Size, rate, seed and how it is made. Prompts, length and known frames are the storyboard's; what stands here in their
    /// place is not read.
    /// </summary>
    /// <value>By default everything is the model's.</value>
    public VideoRequest Settings { get; init; } = new(Segments is [var first, ..] ? first.Prompt : "a video");

    /// <summary>How long it is, in seconds.</summary>
    public double Duration => Segments[^1].To;

    /// <summary>Reads a file; pictures are looked for beside it.</summary>
    /// <param name="path">A JSON file; docs/capabilities.md describes it.</param>
    /// <exception cref="SoraException">It cannot be read or is no storyboard; the message has file, line and column.</exception>
    public static Storyboard Load(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        try
        {
            return StoryboardReader.Read(File.ReadAllBytes(path), path, Path.GetDirectoryName(Path.GetFullPath(path))!);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw new SoraException($"{path}: cannot be read: {e.Message}", e);
        }
    }

    /// <summary>Reads a storyboard's text.</summary>
    /// <param name="json">The text.</param>
    /// <param name="source">Its name, for messages.</param>
    /// <param name="folder">Where pictures are looked for; null: the current folder.</param>
    /// <exception cref="SoraException">It is no storyboard; the message has line and column.</exception>
    public static Storyboard Parse(string json, string source = "storyboard", string? folder = null)
    {
        ArgumentNullException.ThrowIfNull(json);
        return StoryboardReader.Read(System.Text.Encoding.UTF8.GetBytes(json), source, folder ?? Directory.GetCurrentDirectory());
    }

    /// <summary>
    /// The request that makes it. Its length is the nearest s·n + 1 frames, s being the model's
    /// <see cref="ModelLimits.TemporalStride"/>; prompts change on the nearest frame s·n + 1 and, with a cut, on the nearest frame.
    /// </summary>
    /// <param name="limits">The model.</param>
    /// <param name="cancellationToken">Stops reading pictures.</param>
    /// <exception cref="SoraException">A segment is too short, or a picture cannot be read or lies outside.</exception>
    public VideoRequest ToRequest(ModelLimits limits, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(limits);
        int rate = Settings.FramesPerSecond ?? limits.FramesPerSecond;
        double frames = Math.Round(Duration * rate);
        if (frames > VideoRequest.MostFrames)
            throw Wrong(Segments[^1].Place, $"the storyboard ends at {Duration} s, which is {frames} frames at {rate} a second; allowed: {VideoRequest.MostFrames}.");
        int length = limits.NearestFrameCount((int)frames);
        VideoRequest request = Settings with
        {
            Prompt = Segments[0].Prompt,
            FrameCount = length,
            LaterPrompts = [.. LaterPrompts(rate, length)],
            KnownFrames = [],
            // What only means something with a source, or of another video's prompt.
            Source = null,
            Strength = null,
            Mask = null,
            Feather = null,
            OriginalPrompt = null,
            Loop = false,
        };
        return request with { KnownFrames = [.. Known(request, rate, limits, cancellationToken)] };
    }

    /// <summary>Makes the video and gives its frames as they are decoded.</summary>
    /// <inheritdoc cref="VideoGenerator.StreamAsync"/>
    public async IAsyncEnumerable<VideoFrame> StreamAsync(
        VideoGenerator generator, IProgress<GenerationProgress>? progress = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(generator);
        VideoRequest request = await Task.Run(() => ToRequest(generator.Limits, cancellationToken), cancellationToken).ConfigureAwait(false);
        await foreach (VideoFrame frame in generator.StreamAsync(request, progress, cancellationToken).ConfigureAwait(false))
            yield return frame;
    }

    private IEnumerable<TimedPrompt> LaterPrompts(int rate, int length)
    {
        int before = 0;
        foreach (StoryboardSegment segment in Segments.Skip(1))
        {
            int first = (int)Math.Round(segment.From * rate);
            if (first <= before || first >= length)
                throw Wrong(segment.Place, $"at {rate} frames a second the segment from {segment.From} to {segment.To} s, or the one before, has no frame of its own; let it last longer.");
            yield return new(first, segment.Prompt) { Cut = segment.Cut };
            before = first;
        }
    }

    private IEnumerable<KnownFrame> Known(VideoRequest request, int rate, ModelLimits limits, CancellationToken cancellationToken)
    {
        var size = new VideoReadOptions { Width = request.Width ?? limits.Width, Height = request.Height ?? limits.Height };
        var places = new HashSet<int>();
        foreach (StoryboardFrame frame in Frames)
        {
            if (!(frame.At >= 0 && frame.At <= Duration))
                throw Wrong(frame.Place, $"at is {frame.At}; allowed: 0 to {Duration}, the storyboard's end.");
            int index = Math.Min((int)Math.Round(frame.At * rate), request.FrameCount!.Value - 1);
            if (!places.Add(index))
                throw Wrong(frame.Place, $"at is {frame.At}, which is frame {index}, and another picture is there; a place has one.");
            yield return new(index, ImageReader.Read(frame.File, size, cancellationToken));
        }
    }

    private static ValueList<StoryboardSegment> RequireInOrder(ValueList<StoryboardSegment> segments)
    {
        ArgumentNullException.ThrowIfNull(segments, nameof(Segments));
        if (segments.Count == 0)
            throw new SoraException("A storyboard needs at least one segment.");
        double end = 0;
        for (int i = 0; i < segments.Count; i++)
        {
            StoryboardSegment segment = segments[i];
            if (!(double.IsFinite(segment.From) && double.IsFinite(segment.To) && segment.From >= 0 && segment.To > segment.From))
                throw Wrong(segment.Place, $"segment {i + 1} goes from {segment.From} to {segment.To} s; to must come after from, and from not before 0.");
            if (Math.Abs(segment.From - end) > SameTime)
            {
                string where = i == 0 ? "the video begins at 0" : $"segment {i} ends at {end} s";
                string what = segment.From > end ? $"a gap of {Math.Round(segment.From - end, 6)} s" : $"an overlap of {Math.Round(end - segment.From, 6)} s";
                throw Wrong(segment.Place, $"segment {i + 1} begins at {segment.From} s and {where}: {what}; nearest: {end}.");
            }
            end = segment.To;
        }
        return segments;
    }

    private static SoraException Wrong(string place, FormattableString sentence) => new(place + sentence.ToString(CultureInfo.InvariantCulture));
}
