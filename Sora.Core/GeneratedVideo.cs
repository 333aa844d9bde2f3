using System.Diagnostics;
using Sora.Frames;

namespace Sora;

/// <summary>A finished video: its frames in memory, and how they came about. Dispose it to let go of the frames.</summary>
public sealed class GeneratedVideo : IDisposable, IAsyncDisposable
{
    private readonly List<StageTiming> timings;
    private IReadOnlyList<VideoFrame>? frames;

    /// <summary>Creates the video of a resolved request.</summary>
    /// <exception cref="ArgumentException">The request is not resolved, or there are no frames.</exception>
    internal GeneratedVideo(VideoRequest request, IReadOnlyList<VideoFrame> frames,
        IEnumerable<StageTiming> timings, IReadOnlyList<string> notes, GenerationRecord? record = null)
    {
        if (frames.Count == 0)
            throw new ArgumentException("A video has at least one frame.", nameof(frames));
        Request = request;
        Seed = request.Seed ?? throw new ArgumentException("The request has no seed: resolve it first.", nameof(request));
        FramesPerSecond = request.FramesPerSecond
            ?? throw new ArgumentException("The request has no frame rate: resolve it first.", nameof(request));
        this.frames = frames;
        this.timings = [.. timings];
        Notes = notes;
        Record = record ?? new(request);
    }

    /// <summary>The request with every value that was used: generating it again gives the same video.</summary>
    public VideoRequest Request { get; }

    /// <summary>The seed that was used, chosen at random where the request had none.</summary>
    public long Seed { get; }

    /// <summary>The request and the model, as a saved file carries them.</summary>
    public GenerationRecord Record { get; }

    /// <summary>Frames a second at which the video plays.</summary>
    public int FramesPerSecond { get; }

    /// <summary>What the person who asked should know, a sentence each: that the prompt was cut, and where.</summary>
    public IReadOnlyList<string> Notes { get; }

    /// <summary>Where the time went, in order; saving adds its own.</summary>
    public IReadOnlyList<StageTiming> Timings => timings;

    /// <summary>The frames in order.</summary>
    /// <exception cref="ObjectDisposedException">The video is disposed.</exception>
    public IReadOnlyList<VideoFrame> Frames
    {
        get
        {
            ObjectDisposedException.ThrowIf(frames is null, this);
            return frames;
        }
    }

    /// <summary>
    /// Encodes the video to a file whose extension names the format (<see cref="VideoWriter"/> lists them), with the whole
    /// request in its tags (<see cref="GenerationRecord"/>). The file appears when it is complete and replaces one of that name; an error or a
    /// cancellation leaves nothing.
    /// </summary>
    /// <exception cref="SoraException">The format is unknown, or the file cannot be written.</exception>
    /// <exception cref="FFmpegException">The encoder failed.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The video is disposed.</exception>
    public void Save(string path, CancellationToken cancellationToken = default)
    {
        IReadOnlyList<VideoFrame> saved = Frames;
        long start = Stopwatch.GetTimestamp();
        using var writer = new VideoWriter(path, saved[0].Width, saved[0].Height, FramesPerSecond, new() { Metadata = Record.Tags() });
        Save(writer, start, cancellationToken);
    }

    /// <summary>
    /// Writes the video into a file that was begun, and completes it: one whose encoder started while the video was still being made.
    /// Its tags are those that it was begun with (<see cref="VideoGenerator.RecordOf(VideoRequest)"/>).
    /// </summary>
    /// <param name="writer">A writer for frames of this size; disposing of it is the caller's.</param>
    /// <param name="cancellationToken">Stops the encoder.</param>
    /// <exception cref="FFmpegException">The encoder failed.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The video is disposed.</exception>
    public Task SaveAsync(VideoWriter writer, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(writer);
        return Task.Run(() => Save(writer, Stopwatch.GetTimestamp(), cancellationToken), cancellationToken);
    }

    private void Save(VideoWriter writer, long start, CancellationToken cancellationToken)
    {
        foreach (VideoFrame frame in Frames)
            writer.Write(frame, cancellationToken);
        writer.Complete(cancellationToken);
        timings.Add(new StageTiming(GenerationStage.Saving, Stopwatch.GetElapsedTime(start)));
    }

    /// <inheritdoc cref="Save(string, CancellationToken)"/>
    public Task SaveAsync(string path, CancellationToken cancellationToken = default) =>
        Task.Run(() => Save(path, cancellationToken), cancellationToken);

    /// <summary>Lets go of the frames.</summary>
    public void Dispose() => frames = null;

    /// <inheritdoc cref="Dispose"/>
    public ValueTask DisposeAsync()
    {
        Dispose();
        return ValueTask.CompletedTask;
    }
}
