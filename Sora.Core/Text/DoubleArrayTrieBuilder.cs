using System.Buffers.Binary;

namespace Sora.Text;

/// <summary>
/// Lays out a <see cref="DoubleArrayTrie"/>. Meant for the few hundred keys of a hand-written character map: it takes
/// the first free base for each node and does not share suffixes.
/// </summary>
internal sealed class DoubleArrayTrieBuilder
{
    // Offsets below 2^21 need no extension bit; far more than a character map takes.
    private const int MaxUnits = 1 << 21;

    private readonly List<uint> _units = [];
    private readonly List<bool> _taken = [];
    private readonly HashSet<int> _bases = [];
    private int _firstFree = 1;

    private DoubleArrayTrieBuilder()
    {
    }

    /// <summary>Builds the units, little-endian, whole blocks of 256.</summary>
    /// <param name="entries">Keys, not empty and without zero bytes, in ordinal order, and their values.</param>
    public static byte[] Build(IReadOnlyList<(byte[] Key, int Value)> entries)
    {
        var builder = new DoubleArrayTrieBuilder();
        builder.Reserve(0);
        builder._bases.Add(0);
        builder.Place(entries, 0, entries.Count, depth: 0, node: 0);
        return builder.ToBytes();
    }

    /// <summary>Places the children of a node: the entries [start, end) agree on their first depth bytes.</summary>
    private void Place(IReadOnlyList<(byte[] Key, int Value)> entries, int start, int end, int depth, int node)
    {
        bool hasValue = start < end && entries[start].Key.Length == depth;
        var children = new List<(byte Label, int Start, int End)>();
        for (int i = hasValue ? start + 1 : start; i < end;)
        {
            byte label = entries[i].Key[depth];
            int first = i;
            while (i < end && entries[i].Key[depth] == label)
                i++;
            children.Add((label, first, i));
        }

        int childBase = FindBase(hasValue, children);
        _bases.Add(childBase);
        _units[node] |= ((uint)(childBase ^ node) << 10) | (hasValue ? 1u << 8 : 0);
        if (hasValue)
            _units[Reserve(childBase)] = (uint)entries[start].Value | (1u << 31);
        foreach ((byte label, _, _) in children)
            _units[Reserve(childBase ^ label)] = label;
        foreach ((byte label, int first, int last) in children)
            Place(entries, first, last, depth + 1, childBase ^ label);
    }

    // No two nodes may share a base: each would find the other's children under its own.
    private int FindBase(bool hasValue, List<(byte Label, int Start, int End)> children)
    {
        int anchor = hasValue || children.Count == 0 ? 0 : children[0].Label;
        while (IsTaken(_firstFree))
            _firstFree++;
        for (int position = _firstFree; position < MaxUnits; position++)
        {
            int candidate = position ^ anchor;
            bool fits = !_bases.Contains(candidate) && !(hasValue && IsTaken(candidate))
                && children.TrueForAll(child => !IsTaken(candidate ^ child.Label));
            if (fits)
                return candidate;
        }
        throw new InvalidOperationException($"The keys need more than {MaxUnits} trie units.");
    }

    private bool IsTaken(int position) => position < _taken.Count && _taken[position];

    private int Reserve(int position)
    {
        while (position >= _units.Count)
        {
            // A free unit looks like a value, whose label no byte equals.
            _units.AddRange(Enumerable.Repeat(1u << 31, 256));
            _taken.AddRange(Enumerable.Repeat(false, 256));
        }
        _units[position] = 0;
        _taken[position] = true;
        return position;
    }

    private byte[] ToBytes()
    {
        byte[] data = new byte[_units.Count * sizeof(uint)];
        for (int i = 0; i < _units.Count; i++)
            BinaryPrimitives.WriteUInt32LittleEndian(data.AsSpan(i * sizeof(uint)), _units[i]);
        return data;
    }
}
