namespace Sora.Text;

/// <summary>The content of a <c>spiece.model</c> file, as far as encoding and decoding need it.</summary>
internal sealed class SentencePieceModel
{
    /// <summary>How text is cut into pieces.</summary>
    public required SentencePieceAlgorithm Algorithm { get; init; }

    /// <summary>The pieces.</summary>
    public required SentencePieceVocabulary Vocabulary { get; init; }

    /// <summary>What happens to text before it is cut.</summary>
    public required SentencePieceNormalizerSpec Normalizer { get; init; }

    /// <summary>What happens to decoded text; null where it is left as it is.</summary>
    public required SentencePieceNormalizerSpec? Denormalizer { get; init; }

    /// <summary>Whether characters outside the vocabulary become byte pieces.</summary>
    public required bool ByteFallback { get; init; }

    /// <summary>Whether the mark of a space ends a word's last piece and does not begin its first.</summary>
    public required bool TreatWhitespaceAsSuffix { get; init; }

    /// <summary>What the unknown piece decodes to.</summary>
    public required string UnknownSurface { get; init; }

    /// <summary>The name of the piece that ends a sequence.</summary>
    public required string EosPiece { get; init; }

    /// <summary>The name of the piece that pads a sequence.</summary>
    public required string PadPiece { get; init; }
}
