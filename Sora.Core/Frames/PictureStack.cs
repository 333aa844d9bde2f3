using System.Buffers.Binary;
using System.Globalization;

namespace Sora.Frames;

/// <summary>
/// Reads many small PNG files by one ffmpeg in place of one or two for each: it puts those of one width on top of each other, and
/// the pile is a single picture. Starting ffmpeg takes far longer than decoding a sprite.
/// </summary>
internal static class PictureStack
{
    private const int MostAtOnce = 64; // each is an open file and a decoder with its threads
    private const int LongestSide = 512; // of larger ones the pile would take much memory, and starting ffmpeg little of the time

    /// <summary>Reads pictures with their transparency, each in its file's size and in the order given.</summary>
    /// <param name="paths">The files.</param>
    /// <param name="cancellationToken">Stops ffmpeg at once.</param>
    /// <returns>What <see cref="ImageReader.ReadRgba(string, CancellationToken)"/> gives for each.</returns>
    /// <inheritdoc cref="VideoReader.Probe" path="/exception"/>
    public static (int Width, int Height, byte[] Rgba)[] Read(IReadOnlyList<string> paths, CancellationToken cancellationToken = default) =>
        Read(paths, FFmpegTools.FromEnvironment(), cancellationToken);

    internal static (int Width, int Height, byte[] Rgba)[] Read(IReadOnlyList<string> paths, FFmpegTools tools, CancellationToken cancellationToken)
    {
        var pictures = new (int, int, byte[])[paths.Count];
        (int Index, int Width, int Height)[] known = [.. paths.Select((path, i) => (i, Size: SizeOf(path))).Where(p => p.Size is not null).Select(p => (p.i, p.Size!.Value.Width, p.Size.Value.Height))];
        HashSet<int> alone = [.. Enumerable.Range(0, paths.Count).Except(known.Select(p => p.Index))];
        foreach ((int Index, int Width, int Height)[] pile in known.GroupBy(p => p.Width).SelectMany(group => group.Chunk(MostAtOnce)))
        {
            byte[]? rgba = pile.Length > 1 ? Decode([.. pile.Select(p => paths[p.Index])], pile[0].Width, pile.Sum(p => p.Height), tools, cancellationToken) : null;
            if (rgba is null)
            {
                alone.UnionWith(pile.Select(p => p.Index));
                continue;
            }
            int at = 0;
            foreach ((int index, int width, int height) in pile)
            {
                pictures[index] = (width, height, rgba[at..(at + (width * height * 4))]);
                at += width * height * 4;
            }
        }
        // What is no small PNG, and the files of a pile with a damaged one in it: their own reader says which it is and why.
        foreach (int index in alone)
            pictures[index] = ImageReader.ReadRgba(paths[index], tools, cancellationToken);
        return pictures;
    }

    // Null where one of the files cannot be decoded.
    private static byte[]? Decode(string[] paths, int width, int height, FFmpegTools tools, CancellationToken cancellationToken)
    {
        string inputs = string.Concat(paths.Select((_, i) => string.Create(CultureInfo.InvariantCulture, $"[{i}:V:0]format=rgba[p{i}];")));
        string piled = string.Concat(paths.Select((_, i) => string.Create(CultureInfo.InvariantCulture, $"[p{i}]")));
        List<string> arguments = ["-hide_banner", "-nostdin", "-loglevel", "error", "-noautorotate"];
        arguments.AddRange(paths.SelectMany(ProbedMedia.InputArguments));
        arguments.AddRange(["-filter_complex", string.Create(CultureInfo.InvariantCulture, $"{inputs}{piled}vstack=inputs={paths.Length}"), "-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "rgba", "pipe:1"]);
        (FFmpegExit exit, byte[] rgba) = FFmpegProcess.RunForBytes(tools.FindFFmpeg(), arguments, cancellationToken);
        return exit.Code == 0 && exit.LastLines.Length == 0 && rgba.Length == width * height * 4 ? rgba : null;
    }

    // Of a small PNG file: its signature and first chunk (ISO/IEC 15948, 5.2 and 11.2.2). Null of any other.
    private static (int Width, int Height)? SizeOf(string path)
    {
        ReadOnlySpan<byte> start = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52];
        Span<byte> header = stackalloc byte[24];
        try
        {
            using FileStream file = File.OpenRead(path);
            if (file.ReadAtLeast(header, header.Length, throwOnEndOfStream: false) < header.Length || !header.StartsWith(start))
                return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null; // Its own reader says why.
        }
        int width = BinaryPrimitives.ReadInt32BigEndian(header[16..]), height = BinaryPrimitives.ReadInt32BigEndian(header[20..]);
        return width is > 0 and <= LongestSide && height is > 0 and <= LongestSide ? (width, height) : null;
    }
}
