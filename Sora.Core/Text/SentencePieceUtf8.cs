using System.Buffers;
using System.Text;

namespace Sora.Text;

/// <summary>UTF-8 as SentencePiece reads it.</summary>
internal static class SentencePieceUtf8
{
    /// <summary>U+2581 ▁, which stands for a space inside pieces.</summary>
    public static ReadOnlySpan<byte> SpaceSymbol => "\u2581"u8;

    /// <summary>U+FFFD, which replaces each byte that is not part of a well-formed character.</summary>
    public static ReadOnlySpan<byte> ReplacementCharacter => "\uFFFD"u8;

    /// <summary>
    /// The length of a character judged by its first byte alone and cut at the end of the text, as SentencePiece steps
    /// through normalised text. A stray trail byte counts as one character.
    /// </summary>
    public static int CharacterLength(ReadOnlySpan<byte> text)
    {
        int length = text[0] switch { < 0xC0 => 1, < 0xE0 => 2, < 0xF0 => 3, _ => 4 };
        return Math.Min(length, text.Length);
    }

    /// <summary>Whether a well-formed character (not overlong, no surrogate) starts the text; its length.</summary>
    /// <param name="text">Text that is not empty.</param>
    /// <param name="length">Length in bytes; 1 for a malformed byte.</param>
    public static bool TryReadCharacter(ReadOnlySpan<byte> text, out int length)
    {
        bool valid = Rune.DecodeFromUtf8(text, out _, out length) == OperationStatus.Done;
        if (!valid)
            length = 1;
        return valid;
    }
}
