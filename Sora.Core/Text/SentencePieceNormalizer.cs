using System.Buffers;

namespace Sora.Text;

/// <summary>
/// Brings text into the form that the pieces are written in: replacements of the character map, U+FFFD for malformed
/// bytes, white space reduced and escaped. User-defined pieces pass unchanged.
/// </summary>
internal sealed class SentencePieceNormalizer
{
    private readonly SentencePieceNormalizerSpec _spec;
    private readonly SentencePieceCharacterMap? _map;
    private readonly SentencePieceTrie? _userDefined;
    private readonly bool _whitespaceAsSuffix;

    /// <summary>Prepares a normaliser.</summary>
    /// <param name="spec">What to do.</param>
    /// <param name="userDefined">Texts that are left alone; null for none.</param>
    /// <param name="whitespaceAsSuffix">Whether the added space goes to the end.</param>
    /// <exception cref="InvalidDataException">The character map is damaged; the message says how.</exception>
    public SentencePieceNormalizer(
        SentencePieceNormalizerSpec spec, SentencePieceTrie? userDefined, bool whitespaceAsSuffix)
    {
        (_spec, _userDefined, _whitespaceAsSuffix) = (spec, userDefined, whitespaceAsSuffix);
        _map = spec.CharacterMap.IsEmpty ? null : SentencePieceCharacterMap.Read(spec.CharacterMap);
    }

    private ReadOnlySpan<byte> Space => _spec.EscapeWhitespaces ? SentencePieceUtf8.SpaceSymbol : " "u8;

    /// <summary>Normalises UTF-8 text.</summary>
    public ReadOnlySpan<byte> Normalize(ReadOnlySpan<byte> text)
    {
        if (_spec.RemoveExtraWhitespaces)
            text = SkipLeadingSpaces(text);
        if (text.IsEmpty)
            return [];

        var output = new ArrayBufferWriter<byte>(text.Length + 16);
        if (_spec.AddDummyPrefix && !_whitespaceAsSuffix)
            output.Write(Space);

        bool afterSpace = _spec.RemoveExtraWhitespaces;
        while (!text.IsEmpty)
        {
            int consumed = ReadPrefix(text, out ReadOnlySpan<byte> replacement);
            text = text[consumed..];
            if (afterSpace)
                replacement = replacement.TrimStart((byte)' ');
            if (replacement.IsEmpty)
                continue;
            Append(output, replacement);
            afterSpace = _spec.RemoveExtraWhitespaces && replacement[^1] == (byte)' ';
        }

        ReadOnlySpan<byte> normalized = output.WrittenSpan;
        while (_spec.RemoveExtraWhitespaces && normalized.EndsWith(Space))
            normalized = normalized[..^Space.Length];
        if (_spec.AddDummyPrefix && _whitespaceAsSuffix)
            normalized = (byte[])[.. normalized, .. Space];
        return normalized;
    }

    private ReadOnlySpan<byte> SkipLeadingSpaces(ReadOnlySpan<byte> text)
    {
        while (!text.IsEmpty)
        {
            int consumed = ReadPrefix(text, out ReadOnlySpan<byte> replacement);
            if (!replacement.SequenceEqual(" "u8))
                break;
            text = text[consumed..];
        }
        return text;
    }

    /// <summary>Reads what is replaced as one: user-defined piece, source of a rule, character or bad byte.</summary>
    /// <returns>How many bytes it has, at least one.</returns>
    private int ReadPrefix(ReadOnlySpan<byte> text, out ReadOnlySpan<byte> replacement)
    {
        int length = _userDefined?.LongestPrefix(text) ?? 0;
        if (length > 0)
        {
            replacement = text[..length];
            return length;
        }
        replacement = default;
        length = _map?.LongestPrefix(text, out replacement) ?? 0;
        if (length > 0)
            return length;
        replacement = SentencePieceUtf8.TryReadCharacter(text, out length)
            ? text[..length]
            : SentencePieceUtf8.ReplacementCharacter;
        return length;
    }

    private void Append(ArrayBufferWriter<byte> output, ReadOnlySpan<byte> text)
    {
        int space;
        while (_spec.EscapeWhitespaces && (space = text.IndexOf((byte)' ')) >= 0)
        {
            output.Write(text[..space]);
            output.Write(SentencePieceUtf8.SpaceSymbol);
            text = text[(space + 1)..];
        }
        output.Write(text);
    }
}
