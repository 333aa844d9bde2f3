using System.Text;

namespace Sora.Text;

/// <summary>
/// Makes a small unigram <c>spiece.model</c> for a training corpus: each word of the corpus is one piece, other words
/// are spelled with characters, and what is left with bytes. Upper and lower case, full-width forms, typographic quotes
/// and kinds of white space are one. sentencepiece reads the file and gives the same ids.
/// </summary>
/// <remarks>
/// The ids: 0 &lt;pad&gt;, 1 &lt;/s&gt;, 2 &lt;unk&gt;, 3 to 258 the bytes, then the words from the most frequent on,
/// then single characters.
/// </remarks>
public sealed class SentencePieceModelBuilder
{
    private const string Space = "\u2581";

    // So much less probable than the rarest word is a character: a known word is never spelled.
    private const float CharacterPenalty = 2f;

    private readonly SentencePieceNormalizerSpec _normalizer;
    private readonly SortedDictionary<string, long> _words = new(StringComparer.Ordinal);

    /// <summary>Takes the words of a corpus.</summary>
    /// <param name="wordCounts">
    /// Words, without white space, and how often each occurs, at least once. Spellings that are normalised to the same
    /// word are added up.
    /// </param>
    /// <exception cref="ArgumentException">
    /// There are no words, a word is empty or has white space in it, or a count is not positive.
    /// </exception>
    public SentencePieceModelBuilder(IEnumerable<KeyValuePair<string, long>> wordCounts)
    {
        ArgumentNullException.ThrowIfNull(wordCounts);
        _normalizer = new SentencePieceNormalizerSpec
        {
            CharacterMap = SentencePieceCharacterMap.Compile(SentencePieceCharacterRules.Create()),
        };
        var normalizer = new SentencePieceNormalizer(_normalizer, userDefined: null, whitespaceAsSuffix: false);
        foreach ((string word, long count) in wordCounts)
        {
            if (count < 1)
            {
                throw new ArgumentException(
                    $"The word \"{word}\" has the count {count}; it must be positive.", nameof(wordCounts));
            }
            string piece = Encoding.UTF8.GetString(normalizer.Normalize(Encoding.UTF8.GetBytes(word)));
            if (piece.Length < 2 || piece.IndexOf(Space[0], 1) >= 0 || piece.Contains('\0', StringComparison.Ordinal))
                throw new ArgumentException($"\"{word}\" is not one word.", nameof(wordCounts));
            _words[piece] = _words.GetValueOrDefault(piece) + count;
        }
        if (_words.Count == 0)
            throw new ArgumentException("A vocabulary needs at least one word.", nameof(wordCounts));
    }

    /// <summary>Makes the file's content; the same words give the same bytes.</summary>
    public byte[] Build()
    {
        var writer = new SentencePieceModelWriter();
        writer.AddPiece(SentencePieceModelWriter.PadPiece, 0f, SentencePieceType.Control);
        writer.AddPiece(SentencePieceModelWriter.EosPiece, 0f, SentencePieceType.Control);
        writer.AddPiece(SentencePieceModelWriter.UnknownPiece, 0f, SentencePieceType.Unknown);
        for (int value = 0; value < 256; value++)
            writer.AddPiece($"<0x{value:X2}>", 0f, SentencePieceType.Byte);

        double total = _words.Values.Sum(count => (double)count);
        foreach ((string word, long count) in _words.OrderByDescending(entry => entry.Value))
            writer.AddPiece(word, (float)Math.Log(count / total), SentencePieceType.Normal);

        float characterScore = (float)Math.Log(_words.Values.Min() / total) - CharacterPenalty;
        foreach (string character in Characters())
            writer.AddPiece(character, characterScore, SentencePieceType.Normal);
        return writer.ToBytes(_normalizer);
    }

    /// <summary>Writes the file; a failure leaves what was there before.</summary>
    /// <param name="path">Path of the file to make or to replace.</param>
    public void Write(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        string temporary = $"{path}.{Environment.ProcessId}.tmp";
        try
        {
            File.WriteAllBytes(temporary, Build());
            File.Move(temporary, path, overwrite: true);
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    /// <summary>The mark of a space, printable ASCII without capitals, and the other characters of the words.</summary>
    private IEnumerable<string> Characters()
    {
        IEnumerable<Rune> ascii = Enumerable.Range('!', '~' - '!' + 1).Select(c => new Rune(c))
            .Where(rune => !Rune.IsUpper(rune));
        return ascii.Concat(_words.Keys.SelectMany(word => word.EnumerateRunes()))
            .Append(new Rune(Space[0])).Distinct().Order().Select(rune => rune.ToString())
            .Where(character => !_words.ContainsKey(character));
    }
}
