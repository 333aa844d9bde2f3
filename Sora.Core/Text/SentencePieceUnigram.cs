namespace Sora.Text;

/// <summary>
/// The most probable segmentation under a unigram language model (Kudo 2018, arXiv 1804.10959) by the Viterbi
/// algorithm over byte positions. Work is linear in the text times the longest match at a position.
/// </summary>
/// <remarks>
/// Equal results need sentencepiece's arithmetic: path scores are stored in single precision, a candidate is added up
/// in double precision and must exceed the stored score, so of two equal paths the one that starts first stays.
/// </remarks>
internal sealed class SentencePieceUnigram : ISentencePieceSegmenter
{
    // An unknown character costs this much more than the least probable piece.
    private const float UnknownPenalty = 10f;

    // C's FLT_MIN: sentencepiece starts its search for the highest score with it.
    private const float SmallestNormal = 1.17549435e-38f;

    private readonly SentencePieceVocabulary _vocabulary;
    private readonly float _unknownScore;
    private readonly float _maxScore = SmallestNormal;

    /// <summary>Prepares the segmentation with a vocabulary.</summary>
    /// <exception cref="InvalidDataException">The vocabulary has nothing to cut text into.</exception>
    public SentencePieceUnigram(SentencePieceVocabulary vocabulary)
    {
        _vocabulary = vocabulary;
        float minScore = float.MaxValue;
        for (int id = 0; id < vocabulary.Count; id++)
        {
            if (vocabulary.Type(id) != SentencePieceType.Normal)
                continue;
            float score = vocabulary.Score(id);
            if (!float.IsFinite(score))
                throw new InvalidDataException($"piece {id} has the score {score}");
            minScore = Math.Min(minScore, score);
            _maxScore = Math.Max(_maxScore, score);
        }
        if (vocabulary.Pieces.IsEmpty)
            throw new InvalidDataException("it has no pieces for text, only control, unknown and byte pieces");
        _unknownScore = minScore - UnknownPenalty;
    }

    /// <summary>The best path that ends at a position: its score and last piece; Start is -1 for none.</summary>
    private record struct PathEnd(float Score, int Start, int Id);

    /// <inheritdoc/>
    public void Segment(ReadOnlySpan<byte> text, List<(int Length, int Id)> pieces)
    {
        var ends = new PathEnd[text.Length + 1];
        Array.Fill(ends, new PathEnd(0f, -1, -1));
        for (int start = 0; start < text.Length;)
        {
            int characterLength = SentencePieceUtf8.CharacterLength(text[start..]);
            bool characterIsPiece = ExtendWithPieces(text, start, characterLength, ends);
            if (!characterIsPiece)
            {
                float score = _unknownScore + ends[start].Score;
                Offer(ref ends[start + characterLength], score, start, _vocabulary.UnknownId);
            }
            start += characterLength;
        }

        int first = pieces.Count;
        for (int end = text.Length; end > 0; end = ends[end].Start)
            pieces.Add((end - ends[end].Start, ends[end].Id));
        pieces.Reverse(first, pieces.Count - first);
    }

    /// <summary>Extends the best path to a position by each piece found there.</summary>
    /// <returns>Whether the character at the position is a piece by itself.</returns>
    private bool ExtendWithPieces(ReadOnlySpan<byte> text, int start, int characterLength, PathEnd[] ends)
    {
        bool characterIsPiece = false;
        float before = ends[start].Score;
        SentencePieceTrie trie = _vocabulary.Pieces;
        int node = SentencePieceTrie.Root;
        for (int end = start + 1; end <= text.Length; end++)
        {
            node = trie.Step(node, text[end - 1]);
            if (node == SentencePieceTrie.None)
                break;
            int id = trie.IdAt(node);
            if (id == SentencePieceTrie.None || _vocabulary.Type(id) == SentencePieceType.Unused)
                continue;
            // User-defined pieces get a bonus by which they always win.
            double score = _vocabulary.Type(id) == SentencePieceType.UserDefined
                ? ((end - start) * _maxScore) - 0.1
                : _vocabulary.Score(id);
            Offer(ref ends[end], score + before, start, id);
            characterIsPiece |= end - start == characterLength;
        }
        return characterIsPiece;
    }

    private static void Offer(ref PathEnd end, double score, int start, int id)
    {
        if (end.Start < 0 || score > end.Score)
            end = new PathEnd((float)score, start, id);
    }
}
