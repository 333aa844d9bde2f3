namespace Sora.Text;

/// <summary>How a SentencePiece model cuts text into pieces; the numbers are those of the file format.</summary>
internal enum SentencePieceAlgorithm
{
    /// <summary>The most probable segmentation under a unigram language model.</summary>
    Unigram = 1,

    /// <summary>Byte pair encoding: the best adjacent pair is merged until none is left.</summary>
    Bpe = 2,

    /// <summary>Whole words. Not supported.</summary>
    Word = 3,

    /// <summary>Single characters. Not supported.</summary>
    Char = 4,
}
