using System.Globalization;

namespace Sora.Frames;

/// <summary>
/// Encodes frames to a file as they come, through a pipe to ffmpeg, in constant memory (ffmpeg itself holds the frames
/// of a .gif until it knows their palette).
/// </summary>
/// <remarks>
/// <para>The format follows from the path:</para>
/// <list type="bullet">
/// <item>.mp4, .m4v, .mov: H.264 that every browser plays (4:2:0, BT.709, index at the front). 4:2:0 needs an even
/// width and height: an odd size gets its last column or row twice.</item>
/// <item>.webm: VP9. .gif and .webp: animated, repeating for ever; a .gif has at most 50 frames per second.</item>
/// <item>.png (lossless), .jpg, .jpeg: exactly one frame.</item>
/// <item>A path that ends in a separator, names a folder or has no extension: a folder of frame-0001.png,
/// frame-0002.png and so on. Other files in it are kept, the frames of an earlier clip are replaced.</item>
/// </list>
/// <para>The file appears under its name when <see cref="Complete"/> returns. Until then it has a temporary name in
/// the same folder, and what had the name before is untouched; disposing of an incomplete writer removes the
/// temporary file. The same frames make the same bytes with the same ffmpeg. Not safe for use from two threads at
/// once.</para>
/// </remarks>
public sealed class VideoWriter : IDisposable, IAsyncDisposable
{
    private readonly string path;
    private readonly int width;
    private readonly int height;
    private readonly VideoFormat format;
    private readonly PartialOutput output;
    private readonly FFmpegProcess process;
    private readonly EvenFrame? evenFrame;
    private readonly string? comment;
    private bool ended;
    private bool disposed;

    /// <summary>Starts a file.</summary>
    /// <param name="path">Where it goes; see the class for the formats.</param>
    /// <param name="width">Width of the frames in pixels.</param>
    /// <param name="height">Height of the frames in pixels.</param>
    /// <param name="framesPerSecond">The rate; a whole number, a decimal or a fraction.</param>
    /// <param name="options">Null for the defaults.</param>
    /// <exception cref="SoraException">
    /// The path cannot be written, its format cannot hold the size or the rate, or there is no ffmpeg.
    /// </exception>
    public VideoWriter(
        string path, int width, int height, FrameRate framesPerSecond, VideoWriterOptions? options = null)
        : this(path, width, height, framesPerSecond, options, FFmpegTools.FromEnvironment())
    {
    }

    internal VideoWriter(
        string path, int width, int height, FrameRate framesPerSecond, VideoWriterOptions? options, FFmpegTools tools)
    {
        ArgumentNullException.ThrowIfNull(path);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(height);
        framesPerSecond.Checked(nameof(framesPerSecond));
        format = VideoFormat.Of(path);
        format.RequireRate(path, framesPerSecond);
        format.RequireSize(path, width, height);
        this.path = path;
        this.width = width;
        this.height = height;
        comment = options?.Metadata.GetValueOrDefault("comment");

        evenFrame = format.NeedsEvenSize ? new EvenFrame(width, height) : null;
        string ffmpeg = tools.FindFFmpeg();
        output = PartialOutput.Create(path, format);
        try
        {
            process = FFmpegProcess.Start(
                ffmpeg,
                Arguments(framesPerSecond, options ?? new VideoWriterOptions()),
                output.WorkingDirectory);
        }
        catch
        {
            output.Dispose();
            throw;
        }
    }

    /// <summary>Number of frames written so far.</summary>
    public int FrameCount { get; private set; }

    /// <summary>The number of the ffmpeg process, for tests that kill it.</summary>
    internal int ProcessId => process.Id;

    /// <summary>
    /// Finds out, before the long work of making a video, whether it could be written: the format is known, the folder
    /// is there and can be written to, and there is an ffmpeg with the encoder. Leaves nothing behind.
    /// </summary>
    /// <param name="path">Where the video would go.</param>
    /// <param name="frameCount">How many frames it would have; null if not known yet.</param>
    /// <param name="framesPerSecond">Its rate; null if not known yet.</param>
    /// <exception cref="SoraException">It could not be written; the message says why.</exception>
    public static void CheckOutput(string path, int? frameCount = null, FrameRate? framesPerSecond = null) =>
        CheckOutput(path, frameCount, framesPerSecond, FFmpegTools.FromEnvironment());

    internal static void CheckOutput(string path, int? frameCount, FrameRate? framesPerSecond, FFmpegTools tools)
    {
        ArgumentNullException.ThrowIfNull(path);
        VideoFormat format = VideoFormat.Of(path);
        format.RequireFrameCount(path, frameCount ?? 1);
        if (framesPerSecond is FrameRate rate)
        {
            format.RequireRate(path, rate.Checked(nameof(framesPerSecond)));
        }

        PartialOutput.Create(path, format).Dispose();
        (_, string encoder) = FFmpegProcess.Run(
            tools.FindFFmpeg(), ["-hide_banner", "-loglevel", "error", "-h", "encoder=" + format.Encoder], default);
        if (!encoder.StartsWith("Encoder " + format.Encoder, StringComparison.Ordinal))
        {
            throw new SoraException(
                $"'{path}' cannot be written: this ffmpeg has no encoder {format.Encoder}. "
                + "Install a complete ffmpeg, or choose another format.");
        }
    }

    /// <summary>Appends a frame: RGB24, row by row, <c>width * height * 3</c> bytes.</summary>
    /// <exception cref="ArgumentException">Another length.</exception>
    /// <exception cref="SoraException">A second frame for a .png or .jpg.</exception>
    /// <exception cref="FFmpegException">ffmpeg has stopped; the message ends with its last lines.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; the writer can only be disposed of.</exception>
    public void Write(ReadOnlySpan<byte> rgb, CancellationToken cancellationToken = default)
    {
        RequireOpen();
        if (rgb.Length != 3L * width * height)
        {
            throw new ArgumentException(
                $"A frame of {width}x{height} has {3L * width * height} bytes of RGB24, not {rgb.Length}.",
                nameof(rgb));
        }

        format.RequireFrameCount(path, FrameCount + 1);
        cancellationToken.ThrowIfCancellationRequested();
        using CancellationTokenRegistration kill = cancellationToken.Register(process.Kill);
        try
        {
            process.Input.Write(evenFrame is null ? rgb : evenFrame.From(rgb));
        }
        catch (IOException e)
        {
            // A broken pipe: the process has died, and has said why.
            ended = true;
            FFmpegExit exit = process.WaitForExit();
            cancellationToken.ThrowIfCancellationRequested();
            throw new FFmpegException(exit.Describe($"writing '{path}'"), e);
        }

        FrameCount++;
    }

    /// <summary>Appends a frame. Its index and timestamp play no part: frames are shown in the order written.</summary>
    /// <inheritdoc cref="Write(ReadOnlySpan{byte}, CancellationToken)" path="/exception"/>
    public void Write(VideoFrame frame, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(frame);
        if (frame.Width != width || frame.Height != height)
        {
            throw new ArgumentException(
                $"The video is {width}x{height}, the frame {frame.Width}x{frame.Height}.", nameof(frame));
        }

        Write(frame.Rgb.Span, cancellationToken);
    }

    /// <summary>Finishes the encoding and gives the file its name.</summary>
    /// <exception cref="InvalidOperationException">No frame was written, or the writer has ended.</exception>
    /// <exception cref="SoraException">The name cannot be taken, though it could when the writer was made.</exception>
    /// <exception cref="FFmpegException">ffmpeg failed; the message ends with its last lines.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; the writer can only be disposed of.</exception>
    public void Complete(CancellationToken cancellationToken = default)
    {
        RequireOpen();
        if (FrameCount == 0)
        {
            throw new InvalidOperationException($"No frame was written to '{path}'.");
        }

        cancellationToken.ThrowIfCancellationRequested();
        ended = true;
        FFmpegExit exit;
        using (cancellationToken.Register(process.Kill))
        {
            process.Input.Dispose();
            exit = process.WaitForExit();
        }

        cancellationToken.ThrowIfCancellationRequested();
        if (exit.Code != 0)
        {
            throw new FFmpegException(exit.Describe($"writing '{path}'"));
        }

        try
        {
            if (comment is not null)
            {
                format.WriteComment?.Invoke(output.FirstFile, comment);
            }

            output.Commit();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SoraException($"'{path}' cannot be written: {e.Message}", e);
        }
    }

    /// <summary><see cref="Complete"/> on a thread of the pool.</summary>
    /// <inheritdoc cref="Complete" path="/exception"/>
    public Task CompleteAsync(CancellationToken cancellationToken = default) =>
        Task.Run(() => Complete(cancellationToken), cancellationToken);

    /// <summary>Stops ffmpeg, and removes the temporary file unless the video is complete.</summary>
    public void Dispose()
    {
        if (!disposed)
        {
            disposed = true;
            try
            {
                process.Dispose();
            }
            finally
            {
                output.Dispose();
            }
        }
    }

    /// <summary>The same as <see cref="Dispose"/>.</summary>
    public ValueTask DisposeAsync()
    {
        Dispose();
        return ValueTask.CompletedTask;
    }

    private IEnumerable<string> Arguments(FrameRate rate, VideoWriterOptions options) =>
    [
        "-hide_banner", "-nostdin", "-loglevel", "error", "-y",
        "-f", "rawvideo", "-pixel_format", "rgb24",
        "-video_size",
        string.Create(CultureInfo.InvariantCulture, $"{evenFrame?.Width ?? width}x{evenFrame?.Height ?? height}"),
        "-framerate", rate.ToString(), "-i", "pipe:0",
        .. format.Arguments,
        .. options.Metadata.SelectMany(tag => new[] { "-metadata", $"{tag.Key}={tag.Value}" }),

        // No versions, random identifiers or dates in the file.
        "-flags:v", "+bitexact", "-fflags", "+bitexact",
        output.Argument,
    ];

    private void RequireOpen()
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        if (ended)
        {
            throw new InvalidOperationException($"The writer of '{path}' has ended.");
        }
    }
}
