using System.Buffers.Binary;
using System.Text;

namespace Sora.Text;

/// <summary>
/// The compiled replacements of a normaliser (precompiled_charsmap):
/// <code>
/// 4 bytes  size of the trie, little-endian
/// trie     Darts-clone double array from source text to a position in the strings
/// strings  replacements, each closed by a zero byte
/// </code>
/// </summary>
internal sealed class SentencePieceCharacterMap
{
    // The longest NFKC expansion of one character, U+FDFA, has 33 bytes. The limit keeps a damaged file from
    // turning every character of a text into megabytes.
    private const int MaxReplacementBytes = 4096;

    private readonly DoubleArrayTrie _trie;
    private readonly ReadOnlyMemory<byte> _strings;

    private SentencePieceCharacterMap(DoubleArrayTrie trie, ReadOnlyMemory<byte> strings)
        => (_trie, _strings) = (trie, strings);

    /// <summary>Reads a compiled map.</summary>
    /// <exception cref="InvalidDataException">The bytes are not such a map; the message says why.</exception>
    public static SentencePieceCharacterMap Read(ReadOnlyMemory<byte> data)
    {
        if (data.Length <= sizeof(uint))
            throw new InvalidDataException($"its character map has {data.Length} bytes, too few for a trie");
        uint trieSize = BinaryPrimitives.ReadUInt32LittleEndian(data.Span);
        if (trieSize >= data.Length - sizeof(uint))
            throw new InvalidDataException($"its character map of {data.Length} bytes claims a trie of {trieSize}");

        var trie = DoubleArrayTrie.Read(data.Span.Slice(sizeof(uint), (int)trieSize));
        ReadOnlyMemory<byte> strings = data[(sizeof(uint) + (int)trieSize)..];
        foreach (int position in trie.Values())
        {
            if (position >= strings.Length)
                throw new InvalidDataException($"its character map points at {position} of {strings.Length} bytes");
            if (strings.Length - position > MaxReplacementBytes
                && !strings.Span.Slice(position, MaxReplacementBytes + 1).Contains((byte)0))
            {
                throw new InvalidDataException(
                    $"its character map has a replacement above {MaxReplacementBytes} bytes");
            }
        }
        return new SentencePieceCharacterMap(trie, strings);
    }

    /// <summary>Compiles replacements; the inverse of <see cref="Read"/>.</summary>
    /// <param name="rules">Source text, not empty, to replacement, UTF-8 after encoding and without zero bytes.</param>
    public static byte[] Compile(IReadOnlyDictionary<string, string> rules)
    {
        using var strings = new MemoryStream();
        var positions = new Dictionary<string, int>(StringComparer.Ordinal);
        var entries = new List<(byte[] Key, int Value)>();
        foreach ((string source, string replacement) in rules)
        {
            if (!positions.TryGetValue(replacement, out int position))
            {
                position = (int)strings.Length;
                positions.Add(replacement, position);
                strings.Write(Encoding.UTF8.GetBytes(replacement));
                strings.WriteByte(0);
            }
            entries.Add((Encoding.UTF8.GetBytes(source), position));
        }
        entries.Sort((a, b) => a.Key.AsSpan().SequenceCompareTo(b.Key));

        byte[] trie = DoubleArrayTrieBuilder.Build(entries);
        byte[] size = new byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32LittleEndian(size, (uint)trie.Length);
        return [.. size, .. trie, .. strings.ToArray()];
    }

    /// <summary>Finds the longest source text that a text starts with.</summary>
    /// <returns>Its length in bytes; 0 where there is none.</returns>
    public int LongestPrefix(ReadOnlySpan<byte> text, out ReadOnlySpan<byte> replacement)
    {
        int length = _trie.LongestPrefix(text, out int position);
        replacement = length == 0 ? default : StringAt(_strings.Span, position);
        return length;
    }

    private static ReadOnlySpan<byte> StringAt(ReadOnlySpan<byte> strings, int position)
    {
        ReadOnlySpan<byte> rest = strings[position..];
        int end = rest.IndexOf((byte)0);
        return end < 0 ? rest : rest[..end];
    }
}
