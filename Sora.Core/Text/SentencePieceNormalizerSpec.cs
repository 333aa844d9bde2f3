namespace Sora.Text;

/// <summary>How text is normalised: the message NormalizerSpec of the file format, with its defaults.</summary>
internal sealed record SentencePieceNormalizerSpec
{
    /// <summary>The compiled replacements; empty for none.</summary>
    public ReadOnlyMemory<byte> CharacterMap { get; init; }

    /// <summary>Whether a space is put in front, so that a word has the same pieces at the start and inside.</summary>
    public bool AddDummyPrefix { get; init; } = true;

    /// <summary>Whether spaces at both ends are dropped and runs of spaces become one.</summary>
    public bool RemoveExtraWhitespaces { get; init; } = true;

    /// <summary>Whether a space is written as U+2581.</summary>
    public bool EscapeWhitespaces { get; init; } = true;
}
