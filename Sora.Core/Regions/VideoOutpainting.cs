using System.Runtime.CompilerServices;
using Sora.Continuation;
using Sora.Frames;
using Sora.Weights;

namespace Sora.Regions;

/// <summary>
/// A video or a picture on a larger canvas. Its pixels come back as they were given; what lies around them is generated, as the
/// changed region of a masked request (<see cref="VideoRequest.Mask"/>).
/// </summary>
/// <param name="Video">The video: 4n + 1 frames for a temporal stride of 4 (a picture is one), of any size.</param>
/// <param name="Width">The canvas's width, 1 to 16384: at least the video's, and a multiple of the model's <see cref="ModelLimits.SpatialStride"/>.</param>
/// <param name="Height">The canvas's height, likewise.</param>
/// <exception cref="SoraException">A value lies outside its range.</exception>
public sealed record VideoOutpainting(ValueList<VideoFrame> Video, int Width, int Height)
{
    private static readonly ValueRange<int> Sides = new(1, 16384);

    /// <summary>The video.</summary>
    /// <value>At least one frame, all of one size, which need not be one that the model can make.</value>
    public ValueList<VideoFrame> Video { get; init => field = GivenVideo.Require(nameof(Video), value); } = GivenVideo.Require(nameof(Video), Video);

    /// <summary>The canvas's width in pixels.</summary>
    /// <value>1 to 16384.</value>
    public int Width { get; init => field = Sides.Require(nameof(Width), value)!.Value; } = Sides.Require(nameof(Width), Width)!.Value;

    /// <summary>The canvas's height in pixels.</summary>
    /// <value>1 to 16384.</value>
    public int Height { get; init => field = Sides.Require(nameof(Height), value)!.Value; } = Sides.Require(nameof(Height), Height)!.Value;

    /// <summary>Where the video lies on the canvas.</summary>
    /// <value>By default <see cref="CanvasPosition.Center"/>.</value>
    public CanvasPosition Position { get; init; }

    /// <summary>Generates what lies around the video and gives the whole canvas, frame by frame.</summary>
    /// <param name="generator">The model.</param>
    /// <param name="request">The prompt and the settings; size and length are the canvas's and the video's.</param>
    /// <param name="progress">Told each step.</param>
    /// <param name="cancellationToken">Honoured within one step or one decoded chunk.</param>
    /// <exception cref="SoraException">The model cannot make this size or length.</exception>
    public async IAsyncEnumerable<VideoFrame> StreamAsync(
        VideoGenerator generator, VideoRequest request, IProgress<GenerationProgress>? progress = null,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(generator);
        await foreach (VideoFrame frame in generator.StreamAsync(Check(request, generator.Limits), progress, cancellationToken).ConfigureAwait(false))
            yield return frame;
    }

    /// <summary>Finds out, without loading weights, whether a model can do it, and fills the request: a source on the canvas and its mask.</summary>
    /// <exception cref="SoraException">It cannot; the message says why.</exception>
    public VideoRequest Check(VideoRequest request, ModelLimits limits)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (request.Source is not null || request.Mask is not null || request.Loop)
            throw new SoraException("The request has a source, a mask or a loop of its own; the given video takes their place.");
        if ((request.Width ?? Width) != Width || (request.Height ?? Height) != Height)
            throw new SoraException($"The canvas is {Width}x{Height} and the request asks for {request.Width ?? Width}x{request.Height ?? Height}; they must be equal.");
        VideoFrame first = Video[0];
        if (first.Width > Width || first.Height > Height)
            throw new SoraException($"The canvas of {Width}x{Height} is smaller than the video of {first.Width}x{first.Height}; nearest: {Math.Max(first.Width, Width)}x{Math.Max(first.Height, Height)}.");
        if (first.Width == Width && first.Height == Height)
            throw new SoraException($"The canvas of {Width}x{Height} is as large as the video: nothing would be added.");
        var canvas = new Canvas(Width, Height, new(first.Height, first.Width), Position);
        return (request with { Width = Width, Height = Height, Source = [.. Video.Select(canvas.Lay)], Mask = [canvas.Outside()] }).Resolve(limits);
    }

    /// <summary>What a file of the result carries.</summary>
    /// <exception cref="SoraException">As for <see cref="StreamAsync"/>.</exception>
    public GenerationRecord RecordOf(VideoGenerator generator, VideoRequest request)
    {
        ArgumentNullException.ThrowIfNull(generator);
        return generator.RecordOf(Check(request, generator.Limits)) with
        {
            Capability = $"outpaint {Video[0].Width}x{Video[0].Height} at {CanvasPositionNames.NameOf(Position)}",
        };
    }
}
