using System.Text;

namespace Sora.Frames;

/// <summary>
/// A comment in a GIF file: a comment extension before the trailer (GIF89a, section 24), UTF-8 in blocks of up to 255 bytes.
/// ffmpeg writes none.
/// </summary>
internal static class GifComment
{
    private const byte Trailer = 0x3B;

    /// <summary>Writes the comment into a file that ends in the trailer.</summary>
    public static void Write(string path, string comment)
    {
        byte[] file = File.ReadAllBytes(path);
        int end = file[^1] == Trailer ? file.Length - 1 : file.Length;
        var extension = new List<byte> { 0x21, 0xFE };
        foreach (byte[] block in Encoding.UTF8.GetBytes(comment).Chunk(255))
        {
            extension.Add((byte)block.Length);
            extension.AddRange(block);
        }
        File.WriteAllBytes(path, [.. file.AsSpan(0, end), .. extension, 0, Trailer]);
    }

    /// <summary>The comment that stands last in a file, where <see cref="Write"/> puts it; null where there is none.</summary>
    public static string? Read(string path)
    {
        byte[] file = File.ReadAllBytes(path);
        // Backwards over the places where an extension could begin, until its blocks lead exactly to the trailer.
        for (int at = file.Length - 4; at >= 13; at--)
        {
            if (file[at] == 0x21 && file[at + 1] == 0xFE && Blocks(file, at + 2) is { } text)
                return text;
        }
        return null;
    }

    private static string? Blocks(byte[] file, int at)
    {
        var text = new List<byte>();
        while (at < file.Length && file[at] != 0)
        {
            int length = file[at];
            if (at + 1 + length > file.Length)
                return null;
            text.AddRange(file.AsSpan(at + 1, length));
            at += 1 + length;
        }
        return at == file.Length - 2 && file[^1] == Trailer ? Encoding.UTF8.GetString([.. text]) : null;
    }
}
