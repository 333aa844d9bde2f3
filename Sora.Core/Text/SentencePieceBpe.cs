namespace Sora.Text;

/// <summary>
/// Byte pair encoding (Sennrich et al. 2016, arXiv 1508.07909): starting from characters, the adjacent pair whose
/// union has the highest score is merged, the leftmost among equals, until no union is a piece.
/// </summary>
internal sealed class SentencePieceBpe : ISentencePieceSegmenter
{
    private readonly SentencePieceVocabulary _vocabulary;

    /// <summary>Prepares the segmentation with a vocabulary.</summary>
    public SentencePieceBpe(SentencePieceVocabulary vocabulary) => _vocabulary = vocabulary;

    /// <inheritdoc/>
    public void Segment(ReadOnlySpan<byte> text, List<(int Length, int Id)> pieces)
    {
        if (text.IsEmpty)
            return;
        var merge = new Merge(_vocabulary, text);
        merge.Run();
        merge.AppendTo(pieces);
    }

    /// <summary>A run of bytes in a doubly linked list. Length 0: merged into its left neighbour.</summary>
    private record struct Symbol(int Start, int Length, int Previous, int Next, bool Frozen);

    private readonly record struct Pair(int Left, int Right, int Length);

    /// <summary>Highest score first, then leftmost.</summary>
    private readonly record struct Priority(float Score, int Left) : IComparable<Priority>
    {
        public int CompareTo(Priority other)
        {
            int byScore = other.Score.CompareTo(Score);
            return byScore != 0 ? byScore : Left.CompareTo(other.Left);
        }
    }

    /// <summary>The state of one text.</summary>
    private ref struct Merge
    {
        private readonly SentencePieceVocabulary _vocabulary;
        private readonly ReadOnlySpan<byte> _text;
        private readonly Symbol[] _symbols;
        private readonly PriorityQueue<Pair, Priority> _agenda = new();

        // How unused pieces came about, since they are taken apart again in the end.
        private readonly Dictionary<int, (int Start, int LeftLength, int RightLength)> _origins = [];

        public Merge(SentencePieceVocabulary vocabulary, ReadOnlySpan<byte> text)
        {
            _vocabulary = vocabulary;
            _text = text;
            var symbols = new List<Symbol>(text.Length);
            for (int start = 0; start < text.Length;)
            {
                int length = vocabulary.UserDefined?.LongestPrefix(text[start..]) ?? 0;
                bool frozen = length > 0;
                if (!frozen)
                    length = SentencePieceUtf8.CharacterLength(text[start..]);
                int next = start + length < text.Length ? symbols.Count + 1 : -1;
                symbols.Add(new Symbol(start, length, symbols.Count - 1, next, frozen));
                start += length;
            }
            _symbols = [.. symbols];
        }

        public readonly void Run()
        {
            for (int right = 1; right < _symbols.Length; right++)
                Propose(right - 1, right);
            while (_agenda.TryDequeue(out Pair pair, out _))
            {
                ref Symbol left = ref _symbols[pair.Left];
                ref Symbol right = ref _symbols[pair.Right];
                bool stale = left.Length == 0 || right.Length == 0 || left.Length + right.Length != pair.Length;
                if (stale)
                    continue;
                left.Length += right.Length;
                left.Next = right.Next;
                right.Length = 0;
                if (left.Next >= 0)
                    _symbols[left.Next].Previous = pair.Left;
                Propose(left.Previous, pair.Left);
                Propose(pair.Left, left.Next);
            }
        }

        public readonly void AppendTo(List<(int Length, int Id)> pieces)
        {
            for (int index = 0; index >= 0; index = _symbols[index].Next)
                Resegment(_symbols[index].Start, _symbols[index].Length, pieces);
        }

        private readonly void Propose(int left, int right)
        {
            if (left < 0 || right < 0 || _symbols[left].Frozen || _symbols[right].Frozen)
                return;
            (int start, int length) = (_symbols[left].Start, _symbols[left].Length + _symbols[right].Length);
            int id = _vocabulary.Pieces.Find(_text.Slice(start, length));
            if (id == SentencePieceTrie.None)
                return;
            _agenda.Enqueue(new Pair(left, right, length), new Priority(_vocabulary.Score(id), left));
            if (_vocabulary.Type(id) == SentencePieceType.Unused)
                _origins[id] = (start, _symbols[left].Length, _symbols[right].Length);
        }

        private readonly void Resegment(int start, int length, List<(int Length, int Id)> pieces)
        {
            int id = _vocabulary.Find(_text.Slice(start, length));
            if (_vocabulary.Type(id) == SentencePieceType.Unused && _origins.TryGetValue(id, out var origin))
            {
                // The text at the recorded place is the same piece, cut as it was merged there.
                Resegment(origin.Start, origin.LeftLength, pieces);
                Resegment(origin.Start + origin.LeftLength, origin.RightLength, pieces);
                return;
            }
            pieces.Add((length, id));
        }
    }
}
