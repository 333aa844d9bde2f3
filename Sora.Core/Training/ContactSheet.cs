using Sora.Frames;
using Sora.Training.Metrics;

namespace Sora.Training;

/// <summary>Several videos in one picture: a row for each, with frames from its beginning to its end.</summary>
internal static class ContactSheet
{
    private const int Columns = 6;
    private const int Gap = 2;
    private const byte Background = 255;

    /// <summary>Writes the picture as a PNG file, which appears when it is complete.</summary>
    /// <param name="path">The file, ending in .png.</param>
    /// <param name="videos">The frames of each video; all frames of all are of one size.</param>
    /// <exception cref="SoraException">The file cannot be written.</exception>
    public static PngImage Write(string path, IReadOnlyList<IReadOnlyList<VideoFrame>> videos)
    {
        int frameWidth = videos[0][0].Width, frameHeight = videos[0][0].Height;
        int columns = Math.Min(Columns, videos.Max(v => v.Count));
        int width = (columns * (frameWidth + Gap)) - Gap, height = (videos.Count * (frameHeight + Gap)) - Gap;
        var rgb = new byte[width * height * 3];
        Array.Fill(rgb, Background);
        for (int row = 0; row < videos.Count; row++)
        {
            for (int column = 0; column < Math.Min(columns, videos[row].Count); column++)
                Paste(videos[row][At(column, columns, videos[row].Count)], rgb, width, column * (frameWidth + Gap), row * (frameHeight + Gap));
        }
        using (var writer = new VideoWriter(path, width, height, 1))
        {
            writer.Write(rgb);
            writer.Complete();
        }
        return new(File.ReadAllBytes(path), width, height);
    }

    // The first column is the first frame, the last the last.
    private static int At(int column, int columns, int frames) =>
        columns == 1 ? 0 : (int)Math.Round(Math.Min(column, frames - 1) * (frames - 1.0) / (Math.Min(columns, frames) - 1));

    private static void Paste(VideoFrame frame, byte[] rgb, int width, int left, int top)
    {
        int stride = frame.Width * 3;
        for (int y = 0; y < frame.Height; y++)
            frame.Rgb.Span.Slice(y * stride, stride).CopyTo(rgb.AsSpan((((top + y) * width) + left) * 3));
    }
}
