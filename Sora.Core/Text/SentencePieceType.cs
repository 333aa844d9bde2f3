namespace Sora.Text;

/// <summary>What a piece of a SentencePiece vocabulary stands for; the numbers are those of the file format.</summary>
internal enum SentencePieceType : byte
{
    /// <summary>Ordinary text.</summary>
    Normal = 1,

    /// <summary>What no other piece expresses; exactly one per model.</summary>
    Unknown = 2,

    /// <summary>A mark such as end of sequence, never found in text.</summary>
    Control = 3,

    /// <summary>Text that is always one piece, and is not normalised.</summary>
    UserDefined = 4,

    /// <summary>A piece that keeps its id and is not used.</summary>
    Unused = 5,

    /// <summary>One byte, written &lt;0xNN&gt;, for characters outside the vocabulary.</summary>
    Byte = 6,
}
