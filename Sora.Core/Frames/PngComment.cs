using System.Buffers.Binary;
using System.Text;

namespace Sora.Frames;

/// <summary>
/// A comment in a PNG file: an iTXt chunk with the keyword Comment, UTF-8, not compressed, after the header
/// (PNG specification, third edition, 11.3.3.4). ffmpeg writes none.
/// </summary>
internal static class PngComment
{
    private const int HeaderEnd = 8 + 25; // signature and IHDR
    private static readonly byte[] Prefix = [.. "iTXtComment"u8, 0, 0, 0, 0, 0]; // uncompressed, no language, no translated keyword

    /// <summary>Writes the comment into a file that has none.</summary>
    public static void Write(string path, string comment)
    {
        byte[] file = File.ReadAllBytes(path);
        byte[] body = [.. Prefix, .. Encoding.UTF8.GetBytes(comment)];
        var length = new byte[4];
        var check = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(length, body.Length - 4);
        BinaryPrimitives.WriteUInt32BigEndian(check, Crc32(body));
        File.WriteAllBytes(path, [.. file.AsSpan(0, HeaderEnd), .. length, .. body, .. check, .. file.AsSpan(HeaderEnd)]);
    }

    /// <summary>The comment of a file; null where it has none.</summary>
    public static string? Read(string path)
    {
        byte[] file = File.ReadAllBytes(path);
        for (int at = 8; at + 12 <= file.Length;)
        {
            int length = BinaryPrimitives.ReadInt32BigEndian(file.AsSpan(at));
            if (length < 0 || length > file.Length - at - 12)
                return null;
            ReadOnlySpan<byte> chunk = file.AsSpan(at + 4, length + 4);
            if (chunk.StartsWith(Prefix))
                return Encoding.UTF8.GetString(chunk[Prefix.Length..]);
            at += 12 + length;
        }
        return null;
    }

    // ISO 3309, as the specification's annex D has it.
    private static uint Crc32(ReadOnlySpan<byte> bytes)
    {
        uint crc = uint.MaxValue;
        foreach (byte value in bytes)
        {
            crc ^= value;
            for (int bit = 0; bit < 8; bit++)
                crc = (crc & 1) != 0 ? (crc >> 1) ^ 0xEDB88320 : crc >> 1;
        }
        return ~crc;
    }
}
