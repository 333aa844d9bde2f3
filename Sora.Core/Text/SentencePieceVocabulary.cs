using System.Globalization;
using System.Text;

namespace Sora.Text;

/// <summary>
/// The pieces of a SentencePiece model, by id and by text. Text and scores lie in flat arrays: a vocabulary of 256,000
/// pieces costs no object per piece.
/// </summary>
internal sealed class SentencePieceVocabulary
{
    private readonly byte[] _text;
    private readonly int[] _ends;
    private readonly float[] _scores;
    private readonly SentencePieceType[] _types;
    private readonly int[] _byteIds;

    /// <summary>Indexes pieces.</summary>
    /// <param name="text">The texts of all pieces, one after the other.</param>
    /// <param name="ends">Where each piece ends in the text.</param>
    /// <param name="scores">The log probability (unigram) or merge rank (BPE) of each piece.</param>
    /// <param name="types">The type of each piece.</param>
    /// <param name="byteFallback">Whether characters outside the vocabulary become byte pieces.</param>
    /// <exception cref="InvalidDataException">The pieces contradict each other; the message says how.</exception>
    public SentencePieceVocabulary(
        byte[] text, int[] ends, float[] scores, SentencePieceType[] types, bool byteFallback)
    {
        (_text, _ends, _scores, _types) = (text, ends, scores, types);
        _byteIds = new int[256];
        Array.Fill(_byteIds, -1);
        UnknownId = -1;
        var (segmenting, userDefined, reserved) = (new List<int>(Count), new List<int>(), new List<int>());
        for (int id = 0; id < Count; id++)
        {
            if (Text(id).IsEmpty || Text(id).Contains((byte)0))
                throw new InvalidDataException($"piece {id} is empty or contains a zero byte");
            SentencePieceType type = types[id];
            bool segments = type
                is SentencePieceType.Normal or SentencePieceType.UserDefined or SentencePieceType.Unused;
            (segments ? segmenting : reserved).Add(id);
            if (type == SentencePieceType.UserDefined)
                userDefined.Add(id);
            else if (type == SentencePieceType.Unknown)
                AddUnknown(id);
            else if (type == SentencePieceType.Byte)
                AddByte(id, byteFallback);
        }
        if (UnknownId < 0)
            throw new InvalidDataException("it has no piece of type unknown");
        if (byteFallback && Array.IndexOf(_byteIds, -1) is >= 0 and int missing)
            throw new InvalidDataException($"it asks for byte fallback and has no piece <0x{missing:X2}>");

        Pieces = new SentencePieceTrie(text, ends, segmenting);
        Reserved = new SentencePieceTrie(text, ends, reserved);
        UserDefined = userDefined.Count == 0 ? null : new SentencePieceTrie(text, ends, userDefined);
    }

    /// <summary>The number of pieces.</summary>
    public int Count => _ends.Length;

    /// <summary>The id of the piece of type unknown.</summary>
    public int UnknownId { get; private set; }

    /// <summary>The pieces that text is cut into: normal, user-defined and unused ones.</summary>
    public SentencePieceTrie Pieces { get; }

    /// <summary>The user-defined pieces alone; null where there are none.</summary>
    public SentencePieceTrie? UserDefined { get; }

    // Control, unknown and byte pieces have a name space of their own: "</s>" in a text is five ordinary characters.
    private SentencePieceTrie Reserved { get; }

    /// <summary>The UTF-8 text of a piece.</summary>
    public ReadOnlySpan<byte> Text(int id)
    {
        int start = id == 0 ? 0 : _ends[id - 1];
        return _text.AsSpan(start, _ends[id] - start);
    }

    /// <summary>The score of a piece.</summary>
    public float Score(int id) => _scores[id];

    /// <summary>The type of a piece.</summary>
    public SentencePieceType Type(int id) => _types[id];

    /// <summary>The id of a byte's piece, or -1 without byte fallback.</summary>
    public int ByteId(byte value) => _byteIds[value];

    /// <summary>The byte that a piece of type byte stands for.</summary>
    public byte ByteValue(int id) => ParseByte(Text(id))!.Value;

    /// <summary>The id of a piece by its text, reserved names first; the unknown id where there is none.</summary>
    public int Find(ReadOnlySpan<byte> text)
    {
        int id = Reserved.Find(text);
        if (id == SentencePieceTrie.None)
            id = Pieces.Find(text);
        return id == SentencePieceTrie.None ? UnknownId : id;
    }

    /// <summary>The id of a control piece by its name, or -1.</summary>
    public int FindControl(string name)
    {
        int id = Find(Encoding.UTF8.GetBytes(name));
        return _types[id] == SentencePieceType.Control ? id : -1;
    }

    private void AddUnknown(int id)
    {
        if (UnknownId >= 0)
            throw new InvalidDataException($"pieces {UnknownId} and {id} both are of type unknown");
        UnknownId = id;
    }

    private void AddByte(int id, bool byteFallback)
    {
        if (!byteFallback)
            throw new InvalidDataException($"piece {id} stands for a byte, but byte fallback is off");
        byte value = ParseByte(Text(id))
            ?? throw new InvalidDataException($"piece {id} is of type byte and is not named <0xNN>");
        _byteIds[value] = id;
    }

    private static byte? ParseByte(ReadOnlySpan<byte> text)
    {
        bool named = text.Length == 6 && text.StartsWith("<0x"u8) && text[5] == (byte)'>'
            && !text.ContainsAnyInRange((byte)'a', (byte)'f');
        return named && byte.TryParse(text[3..5], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture,
            out byte value) ? value : null;
    }
}
