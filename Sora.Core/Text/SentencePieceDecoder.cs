using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;

namespace Sora.Text;

/// <summary>Puts pieces together to text: the inverse of segmentation, up to what normalisation took away.</summary>
internal sealed class SentencePieceDecoder
{
    private readonly SentencePieceModel _model;
    private readonly SentencePieceNormalizer? _denormalizer;
    private readonly byte[] _unknownSurface;

    /// <summary>Prepares decoding.</summary>
    /// <exception cref="InvalidDataException">The model's denormaliser is damaged.</exception>
    public SentencePieceDecoder(SentencePieceModel model)
    {
        _model = model;
        _unknownSurface = Encoding.UTF8.GetBytes(model.UnknownSurface);
        if (model.Denormalizer is { CharacterMap.IsEmpty: false } spec)
            _denormalizer = new SentencePieceNormalizer(spec, userDefined: null, whitespaceAsSuffix: false);
    }

    /// <summary>Decodes ids.</summary>
    public string Decode(ReadOnlySpan<int> ids)
    {
        var text = new ArrayBufferWriter<byte>();
        var bytes = new List<byte>();
        bool atStart = true;
        bool startSpaceSeen = false;
        foreach (int id in ids)
        {
            if (_model.Vocabulary.Type(id) == SentencePieceType.Byte)
            {
                bytes.Add(_model.Vocabulary.ByteValue(id));
                continue;
            }
            FlushBytes(bytes, text);
            if (startSpaceSeen || text.WrittenCount > 0)
                atStart = false;
            startSpaceSeen = AppendPiece(id, atStart, text);
        }
        FlushBytes(bytes, text);
        ReadOnlySpan<byte> decoded = text.WrittenSpan;
        return Encoding.UTF8.GetString(_denormalizer is null ? decoded : _denormalizer.Normalize(decoded));
    }

    /// <summary>Appends a piece that is not a byte.</summary>
    /// <returns>Whether the one space that was added in front of the text has been dropped by it.</returns>
    private bool AppendPiece(int id, bool atStart, ArrayBufferWriter<byte> text)
    {
        SentencePieceType type = _model.Vocabulary.Type(id);
        if (type == SentencePieceType.Control)
            return false;
        if (type == SentencePieceType.Unknown)
        {
            text.Write(_unknownSurface);
            return false;
        }

        ReadOnlySpan<byte> piece = _model.Vocabulary.Text(id);
        SentencePieceNormalizerSpec spec = _model.Normalizer;
        bool dropSpace = atStart && (spec.AddDummyPrefix || spec.RemoveExtraWhitespaces)
            && piece.StartsWith(SentencePieceUtf8.SpaceSymbol);
        if (dropSpace)
            piece = piece[SentencePieceUtf8.SpaceSymbol.Length..];
        int space;
        while ((space = piece.IndexOf(SentencePieceUtf8.SpaceSymbol)) >= 0)
        {
            text.Write(piece[..space]);
            text.Write(" "u8);
            piece = piece[(space + SentencePieceUtf8.SpaceSymbol.Length)..];
        }
        text.Write(piece);
        // With extra white space removed, every leading space goes, not only the first.
        return dropSpace && !spec.RemoveExtraWhitespaces;
    }

    private static void FlushBytes(List<byte> bytes, ArrayBufferWriter<byte> text)
    {
        ReadOnlySpan<byte> rest = CollectionsMarshal.AsSpan(bytes);
        while (!rest.IsEmpty)
        {
            bool valid = SentencePieceUtf8.TryReadCharacter(rest, out int length);
            text.Write(valid ? rest[..length] : SentencePieceUtf8.ReplacementCharacter);
            rest = rest[length..];
        }
        bytes.Clear();
    }
}
