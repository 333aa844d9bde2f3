namespace Sora.Text;

/// <summary>Turns a prompt into the ids that a text encoder takes.</summary>
public sealed class PromptTokenizer
{
    /// <summary>The length that the published Wan pipelines use.</summary>
    public const int DefaultMaxLength = 512;

    private const char ReplacementCharacter = '\uFFFD';

    private readonly ITokenizer _tokenizer;

    /// <summary>Wraps a tokenizer.</summary>
    /// <exception cref="SoraException">The tokenizer's vocabulary has no end of sequence or no padding.</exception>
    public PromptTokenizer(ITokenizer tokenizer)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        if (tokenizer.EosId < 0 || tokenizer.PadId < 0)
        {
            string missing = tokenizer.EosId < 0 ? "an end of sequence" : "padding";
            throw new SoraException($"The tokenizer's vocabulary has no id for {missing}, which a text encoder needs.");
        }
        _tokenizer = tokenizer;
    }

    /// <summary>
    /// Cleans a prompt (<see cref="PromptCleaner"/>), encodes it, cuts it so that it fits with its end of sequence, and
    /// pads it.
    /// </summary>
    /// <param name="prompt">Any text; the empty prompt is an end of sequence alone.</param>
    /// <param name="maxLength">The length of the result in ids, from 1.</param>
    public TokenizedPrompt Tokenize(string prompt, int maxLength = DefaultMaxLength)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxLength, 1);
        int[] text = _tokenizer.Encode(PromptCleaner.Clean(prompt));
        int kept = Math.Min(text.Length, maxLength - 1);

        int[] ids = new int[maxLength];
        text.AsSpan(0, kept).CopyTo(ids);
        ids[kept] = _tokenizer.EosId;
        ids.AsSpan(kept + 1).Fill(_tokenizer.PadId);
        return new TokenizedPrompt
        {
            Ids = ids,
            Length = kept + 1,
            UncutLength = text.Length + 1,
            CutText = kept == text.Length ? "" : DecodeTail(text, kept),
        };
    }

    // A character that is cut between its bytes belongs to the tail: up to three bytes may lie before the cut.
    private string DecodeTail(int[] text, int start)
    {
        string tail = _tokenizer.Decode(text.AsSpan(start));
        for (int back = 1; back <= Math.Min(3, start) && tail.StartsWith(ReplacementCharacter); back++)
        {
            string longer = _tokenizer.Decode(text.AsSpan(start - back));
            if (!longer.StartsWith(ReplacementCharacter))
                return longer;
        }
        return tail;
    }
}
