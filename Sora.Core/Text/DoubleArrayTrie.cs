using System.Buffers.Binary;

namespace Sora.Text;

/// <summary>
/// A trie over bytes in the layout of Darts-clone (github.com/s-yata/darts-clone), in which sentencepiece stores its
/// compiled character maps. One 32-bit unit per node:
/// <code>
/// node:  offset in bits 10..30 (bit 9 set: shifted left by 8), has-value flag in bit 8, label in bits 0..7
/// value: bit 31 set, the value in bits 0..30
/// </code>
/// The child of node i for label c is at i ^ offset ^ c and carries the label c; the value of node i is at i ^ offset.
/// </summary>
internal sealed class DoubleArrayTrie
{
    private const uint ValueFlag = 1u << 31;
    private readonly uint[] _units;

    /// <summary>Wraps units that a builder made.</summary>
    public DoubleArrayTrie(uint[] units) => _units = units;

    /// <summary>Reads little-endian units.</summary>
    /// <exception cref="InvalidDataException">There are no whole units.</exception>
    public static DoubleArrayTrie Read(ReadOnlySpan<byte> data)
    {
        if (data.IsEmpty || data.Length % sizeof(uint) != 0)
            throw new InvalidDataException($"its trie has {data.Length} bytes, not a multiple of 4 above 0");
        uint[] units = new uint[data.Length / sizeof(uint)];
        for (int i = 0; i < units.Length; i++)
            units[i] = BinaryPrimitives.ReadUInt32LittleEndian(data[(i * sizeof(uint))..]);
        return new DoubleArrayTrie(units);
    }

    /// <summary>The values of all nodes that have one, used or not.</summary>
    /// <exception cref="InvalidDataException">A value lies outside the units.</exception>
    public IEnumerable<int> Values()
    {
        for (uint i = 0; i < _units.Length; i++)
        {
            uint unit = _units[i];
            if ((unit & ValueFlag) != 0 || !HasValue(unit))
                continue;
            uint position = i ^ Offset(unit);
            if (position >= _units.Length)
                throw new InvalidDataException($"unit {i} of its trie points outside");
            yield return (int)(_units[position] & ~ValueFlag);
        }
    }

    /// <summary>Finds the longest key that the text starts with.</summary>
    /// <returns>Its length in bytes; 0 where no key is a prefix of the text.</returns>
    public int LongestPrefix(ReadOnlySpan<byte> text, out int value)
    {
        (int length, value) = (0, 0);
        uint position = Offset(_units[0]);
        for (int i = 0; i < text.Length; i++)
        {
            position ^= text[i];
            if (position >= _units.Length)
                break;
            uint unit = _units[position];
            if ((unit & (ValueFlag | 0xFF)) != text[i])
                break;
            position ^= Offset(unit);
            if (HasValue(unit) && position < _units.Length)
                (length, value) = (i + 1, (int)(_units[position] & ~ValueFlag));
        }
        return length;
    }

    private static bool HasValue(uint unit) => (unit & (1u << 8)) != 0;

    private static uint Offset(uint unit) => (unit >> 10) << (int)((unit & (1u << 9)) >> 6);
}
