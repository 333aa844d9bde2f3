namespace Sora.Frames;

/// <summary>Decodes single pictures: an image file, or the first frame of a video.</summary>
public static class ImageReader
{
    private static readonly VideoReadOptions OneFrame = new() { MaxFrames = 1 };

    /// <summary>Reads a picture without its transparency, which is laid on black.</summary>
    /// <param name="path">An image or a video.</param>
    /// <param name="options">Size, fit and, for a video, the start; null: the file's size, the first frame.</param>
    /// <param name="cancellationToken">Stops ffmpeg at once.</param>
    /// <inheritdoc cref="VideoReader.Probe" path="/exception"/>
    public static VideoFrame Read(
        string path, VideoReadOptions? options = null, CancellationToken cancellationToken = default) =>
        VideoReader.Read(path, (options ?? OneFrame) with { MaxFrames = 1 }, cancellationToken).Single();

    /// <summary>Reads a picture with its transparency, in the file's size.</summary>
    /// <param name="path">An image or a video.</param>
    /// <param name="cancellationToken">Stops ffmpeg at once.</param>
    /// <returns>
    /// Width, height and <c>width * height * 4</c> bytes: rows from top to bottom, per pixel red, green, blue and alpha
    /// (255: opaque, as everywhere in files without transparency); colours are not multiplied by alpha.
    /// </returns>
    /// <inheritdoc cref="VideoReader.Probe" path="/exception"/>
    public static (int Width, int Height, byte[] Rgba) ReadRgba(
        string path, CancellationToken cancellationToken = default) =>
        ReadRgba(path, FFmpegTools.FromEnvironment(), cancellationToken);

    internal static (int Width, int Height, byte[] Rgba) ReadRgba(
        string path, FFmpegTools tools, CancellationToken cancellationToken)
    {
        ProbedMedia media = MediaProbe.Probe(path, tools, cancellationToken);
        var geometry = FrameGeometry.Plan(media.Info.Width, media.Info.Height, null, null, FrameFit.Stretch);
        IEnumerable<byte[]> frames =
            RawDecoder.Decode(media, geometry, "rgba", OneFrame, tools.FindFFmpeg(), cancellationToken);
        return (geometry.Width, geometry.Height, frames.Single());
    }
}
