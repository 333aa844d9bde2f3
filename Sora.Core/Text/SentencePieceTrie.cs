using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Sora.Text;

/// <summary>
/// Byte strings and their ids as a trie in nine bytes a node. Nodes are numbered breadth first, so that the children
/// of a node lie side by side, in the order of their labels, right after those of the node before it.
/// </summary>
internal sealed class SentencePieceTrie
{
    /// <summary>The node at which every string starts.</summary>
    public const int Root = 0;

    /// <summary>What <see cref="Step"/> and <see cref="IdAt"/> return where there is nothing.</summary>
    public const int None = -1;

    private readonly List<byte> _labels = [0];
    private readonly List<int> _ids = [];

    // The children of a node are the nodes from its entry up to that of the next node.
    private readonly List<int> _firstChild = [1];

    /// <summary>Builds a trie.</summary>
    /// <param name="text">All strings of a table, one after the other; none is empty or has zero bytes.</param>
    /// <param name="ends">Where each string ends in the text; its index is its id.</param>
    /// <param name="members">Ids of the strings to take, in ascending order.</param>
    /// <exception cref="InvalidDataException">Two strings are equal.</exception>
    public SentencePieceTrie(byte[] text, int[] ends, List<int> members)
    {
        var strings = new Strings(text, ends, [.. members]);
        // The strings of a level's nodes, as ranges of the members: those that agree up to the level's depth.
        List<(int Start, int End)> level = [(0, members.Count)];
        for (int depth = 0; level.Count > 0; depth++)
            level = AddChildren(level, depth, strings);
    }

    /// <summary>Whether there are no strings.</summary>
    public bool IsEmpty => _labels.Count == 1;

    /// <summary>The node that the label leads to, or <see cref="None"/>.</summary>
    public int Step(int node, byte label)
    {
        ReadOnlySpan<int> firstChild = CollectionsMarshal.AsSpan(_firstChild);
        int first = firstChild[node];
        int index = CollectionsMarshal.AsSpan(_labels)[first..firstChild[node + 1]].IndexOf(label);
        return index < 0 ? None : first + index;
    }

    /// <summary>The id of the string that ends at the node, or <see cref="None"/>.</summary>
    public int IdAt(int node) => _ids[node];

    /// <summary>The id of the whole string, or <see cref="None"/>.</summary>
    public int Find(ReadOnlySpan<byte> text)
    {
        int node = Root;
        foreach (byte label in text)
        {
            node = Step(node, label);
            if (node == None)
                return None;
        }
        return IdAt(node);
    }

    /// <summary>The length of the longest string that the text starts with; 0 where there is none.</summary>
    public int LongestPrefix(ReadOnlySpan<byte> text)
    {
        int longest = 0;
        int node = Root;
        for (int i = 0; i < text.Length; i++)
        {
            node = Step(node, text[i]);
            if (node == None)
                break;
            if (IdAt(node) != None)
                longest = i + 1;
        }
        return longest;
    }

    /// <summary>Adds the children of a level's nodes.</summary>
    /// <returns>The next level.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)] // Few calls, a million nodes.
    private List<(int Start, int End)> AddChildren(List<(int Start, int End)> level, int depth, Strings strings)
    {
        var next = new List<(int Start, int End)>(level.Count);
        foreach ((int first, int end) in level)
        {
            strings.Sort(first, end, depth);
            int start = first;
            bool isString = start < end && strings.LabelAt(start, depth) == 0;
            _ids.Add(isString ? strings.Order[start++] : None);
            while (start < end)
            {
                byte label = strings.LabelAt(start, depth);
                if (label == 0)
                {
                    throw new InvalidDataException(
                        $"piece {strings.Order[start]} repeats piece {strings.Order[start - 1]}");
                }
                int groupStart = start;
                while (++start < end && strings.LabelAt(start, depth) == label)
                {
                }
                _labels.Add(label);
                next.Add((groupStart, start));
            }
            _firstChild.Add(_labels.Count);
        }
        return next;
    }

    /// <summary>The strings to put in; sorted byte by byte while the levels are laid out (a radix sort).</summary>
    private sealed class Strings(byte[] text, int[] ends, int[] order)
    {
        private const int FewStrings = 24;
        private readonly int[] _sorted = new int[order.Length];
        private readonly int[] _positions = new int[257];

        public int[] Order => order;

        /// <summary>The byte of a string at a depth; 0 at its end.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public byte LabelAt(int index, int depth)
        {
            int id = order[index];
            int position = (id == 0 ? 0 : ends[id - 1]) + depth;
            return position == ends[id] ? (byte)0 : text[position];
        }

        /// <summary>Sorts a range by its labels at a depth; equal ones keep their order.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Sort(int start, int end, int depth)
        {
            if (end - start <= FewStrings)
                SortFew(start, end, depth);
            else
                SortMany(start, end, depth);
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private void SortFew(int start, int end, int depth)
        {
            for (int i = start + 1; i < end; i++)
            {
                byte label = LabelAt(i, depth);
                int id = order[i];
                int at = i;
                for (; at > start && LabelAt(at - 1, depth) > label; at--)
                    order[at] = order[at - 1];
                order[at] = id;
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private void SortMany(int start, int end, int depth)
        {
            Array.Clear(_positions);
            for (int i = start; i < end; i++)
                _positions[LabelAt(i, depth) + 1]++;
            for (int label = 1; label < _positions.Length; label++)
                _positions[label] += _positions[label - 1];
            for (int i = start; i < end; i++)
                _sorted[_positions[LabelAt(i, depth)]++] = order[i];
            _sorted.AsSpan(0, end - start).CopyTo(order.AsSpan(start));
        }
    }
}
