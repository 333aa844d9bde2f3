namespace Sora.Frames;

/// <summary>Decodes any video or image that ffmpeg knows to RGB frames, streamed.</summary>
/// <remarks>
/// Frames are as a viewer shows them: upright, with square pixels, sRGB, transparent parts on black. Scaling is
/// Lanczos.
/// </remarks>
public static class VideoReader
{
    /// <summary>Finds out what a file holds. Its first frame is decoded, the rest is not looked at.</summary>
    /// <exception cref="SoraException">
    /// No such file, no video in it, damaged, of an unknown kind, or no ffprobe on this machine.
    /// </exception>
    /// <exception cref="FFmpegException">ffprobe was killed.</exception>
    public static VideoInfo Probe(string path, CancellationToken cancellationToken = default) =>
        MediaProbe.Probe(path, FFmpegTools.FromEnvironment(), cancellationToken).Info;

    /// <summary>
    /// Reads the frames of a file one by one, in constant memory. The file is probed at once; ffmpeg runs while the
    /// result is enumerated, and is stopped when the enumeration is left.
    /// </summary>
    /// <param name="path">A video or image.</param>
    /// <param name="options">Null: all frames in the file's size.</param>
    /// <param name="cancellationToken">Stops ffmpeg at once.</param>
    /// <returns>
    /// Frames with indices from 0 and evenly spaced timestamps: <see cref="VideoReadOptions.Start"/>, then one frame
    /// time after the other. For a file of a variable rate, set <see cref="VideoReadOptions.FrameRate"/> for the frames
    /// to be evenly spaced in truth.
    /// </returns>
    /// <exception cref="SoraException">
    /// As for <see cref="Probe"/>; in the enumeration: the file is damaged further on, or ends before the start.
    /// </exception>
    /// <exception cref="FFmpegException">ffmpeg was killed.</exception>
    public static IEnumerable<VideoFrame> Read(
        string path, VideoReadOptions? options = null, CancellationToken cancellationToken = default) =>
        Read(path, options, FFmpegTools.FromEnvironment(), cancellationToken);

    internal static IEnumerable<VideoFrame> Read(
        string path, VideoReadOptions? options, FFmpegTools tools, CancellationToken cancellationToken)
    {
        options ??= new VideoReadOptions();
        ProbedMedia media = MediaProbe.Probe(path, tools, cancellationToken);
        var geometry = FrameGeometry.Plan(
            media.Info.Width, media.Info.Height, options.Width, options.Height, options.Fit);
        FrameRate rate = options.FrameRate ?? media.Info.FrameRate;
        TimeSpan start = media.Info.IsImage ? TimeSpan.Zero : options.Start;
        return RawDecoder.Decode(media, geometry, "rgb24", options, tools.FindFFmpeg(), cancellationToken)
            .Select((rgb, index) =>
                new VideoFrame(index, geometry.Width, geometry.Height, rgb, start + rate.TimeOf(index)));
    }
}
