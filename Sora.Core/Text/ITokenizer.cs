namespace Sora.Text;

/// <summary>
/// Turns text into the token ids of a text encoder's vocabulary and back. <see cref="SentencePieceTokenizer"/> is the
/// library's own; an application can put any other tokenizer behind this interface.
/// </summary>
/// <remarks>Implementations are safe to call from several threads at once.</remarks>
public interface ITokenizer
{
    /// <summary>Gets the number of ids; every id lies in [0, VocabularySize).</summary>
    int VocabularySize { get; }

    /// <summary>Gets the id that fills a sequence up to its length, or -1 where the vocabulary has none.</summary>
    int PadId { get; }

    /// <summary>Gets the id that ends a sequence, or -1 where the vocabulary has none.</summary>
    int EosId { get; }

    /// <summary>Gets the id of what the vocabulary cannot express, or -1 where there is none.</summary>
    int UnknownId { get; }

    /// <summary>Encodes a text. Adds neither an end of sequence nor padding.</summary>
    /// <param name="text">Any text, without a limit on its length.</param>
    /// <returns>The ids; empty for a text of nothing but white space.</returns>
    int[] Encode(string text);

    /// <summary>Decodes ids to text. Control ids such as padding and end of sequence are invisible.</summary>
    /// <param name="ids">Ids in [0, <see cref="VocabularySize"/>).</param>
    /// <exception cref="ArgumentOutOfRangeException">An id is outside the vocabulary.</exception>
    string Decode(ReadOnlySpan<int> ids);
}
