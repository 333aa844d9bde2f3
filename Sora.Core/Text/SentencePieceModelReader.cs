using Google.Protobuf;
using static Google.Protobuf.WireFormat;

namespace Sora.Text;

/// <summary>
/// Reads <c>spiece.model</c>, a protocol buffer. Field numbers and defaults are those of sentencepiece_model.proto
/// (github.com/google/sentencepiece). A real file holds 256,000 nested messages, so their fields are read where they
/// lie and no message object is made.
/// </summary>
internal sealed class SentencePieceModelReader
{
    // The limit of sentencepiece itself (kMaxPieceSize); it also bounds the work at each position of a text.
    private const int MaxPieceBytes = 8000;

    // Eight times the text of a vocabulary of 256,000 pieces.
    private const int MaxTextBytes = 1 << 24;

    private readonly CodedInputStream _input;
    private readonly List<byte> _text = [];
    private readonly List<int> _ends = [];
    private readonly List<float> _scores = [];
    private readonly List<SentencePieceType> _types = [];
    private SentencePieceNormalizerSpec _normalizer = new();
    private SentencePieceNormalizerSpec? _denormalizer;
    private SentencePieceAlgorithm _algorithm = SentencePieceAlgorithm.Unigram;
    private bool _byteFallback;
    private bool _whitespaceAsSuffix;
    private string _unknownSurface = " \u2047 ";
    private string _eosPiece = "</s>";
    private string _padPiece = "<pad>";

    private SentencePieceModelReader(CodedInputStream input) => _input = input;

    /// <summary>Reads a model.</summary>
    /// <exception cref="InvalidDataException">The bytes are not a usable model; the message says why.</exception>
    public static SentencePieceModel Read(byte[] data)
    {
        if (data.Length == 0)
            throw new InvalidDataException("it is empty");
        using var input = new CodedInputStream(data);
        try
        {
            return new SentencePieceModelReader(input).ReadModel();
        }
        catch (InvalidProtocolBufferException exception)
        {
            throw new InvalidDataException(
                $"it is not a complete protocol buffer ({exception.Message.TrimEnd('.')})", exception);
        }
    }

    private SentencePieceModel ReadModel()
    {
        ReadFields(long.MaxValue, static (reader, field, type) => reader.ReadModelField(field, type));
        if (_ends.Count == 0)
            throw new InvalidDataException("it holds no pieces");
        if (_algorithm is not (SentencePieceAlgorithm.Unigram or SentencePieceAlgorithm.Bpe))
        {
            throw new InvalidDataException(
                $"its model type is {_algorithm.ToString().ToUpperInvariant()}; UNIGRAM and BPE are supported");
        }

        return new SentencePieceModel
        {
            Algorithm = _algorithm,
            Vocabulary = new SentencePieceVocabulary(
                [.. _text], [.. _ends], [.. _scores], [.. _types], _byteFallback),
            Normalizer = _normalizer,
            Denormalizer = _denormalizer,
            ByteFallback = _byteFallback,
            TreatWhitespaceAsSuffix = _whitespaceAsSuffix,
            UnknownSurface = _unknownSurface,
            EosPiece = _eosPiece,
            PadPiece = _padPiece,
        };
    }

    /// <summary>Hands each field up to a position to a reader that says whether it took it; skips the others.</summary>
    private void ReadFields(long end, Func<SentencePieceModelReader, int, WireType, bool> read)
    {
        while (_input.Position < end)
        {
            uint tag = _input.ReadTag();
            if (tag == 0 && end == long.MaxValue)
                return;
            if (tag == 0)
                throw new InvalidDataException("it ends inside a message");
            if (!read(this, GetTagFieldNumber(tag), GetTagWireType(tag)))
                _input.SkipLastField();
        }
        RequireMessageEnd(end);
    }

    private void ReadMessage(Func<SentencePieceModelReader, int, WireType, bool> read)
        => ReadFields(ReadMessageEnd(), read);

    /// <summary>Reads the length of a message.</summary>
    /// <returns>The position at which it ends.</returns>
    private long ReadMessageEnd()
    {
        int length = _input.ReadLength();
        if (length < 0)
            throw new InvalidDataException("a message has a negative length");
        return _input.Position + length;
    }

    private void RequireMessageEnd(long end)
    {
        if (_input.Position != end)
            throw new InvalidDataException("a field runs past the end of the message that holds it");
    }

    private bool ReadModelField(int field, WireType type)
    {
        switch (field, type)
        {
            case (1, WireType.LengthDelimited):
                ReadPiece();
                return true;
            case (2, WireType.LengthDelimited):
                ReadMessage(static (reader, field, type) => reader.ReadTrainerField(field, type));
                return true;
            case (3, WireType.LengthDelimited):
                ReadMessage(static (reader, field, type) =>
                    reader.ReadNormalizerField(ref reader._normalizer, field, type));
                return true;
            case (5, WireType.LengthDelimited):
                _denormalizer ??= new SentencePieceNormalizerSpec();
                ReadMessage(static (reader, field, type) =>
                    reader.ReadNormalizerField(ref reader._denormalizer!, field, type));
                return true;
            default:
                return false;
        }
    }

    // The one message that comes in large numbers: its fields are read in a loop of their own.
    private void ReadPiece()
    {
        const uint TextTag = (1 << 3) | (uint)WireType.LengthDelimited;
        const uint ScoreTag = (2 << 3) | (uint)WireType.Fixed32;
        const uint TypeTag = (3 << 3) | (uint)WireType.Varint;

        int start = _text.Count;
        (float score, SentencePieceType type) = (0f, SentencePieceType.Normal);
        long end = ReadMessageEnd();
        while (_input.Position < end)
        {
            switch (_input.ReadTag())
            {
                case TextTag:
                    // A field that is repeated replaces what came before.
                    _text.RemoveRange(start, _text.Count - start);
                    _text.AddRange(_input.ReadBytes().Span);
                    break;
                case ScoreTag:
                    score = _input.ReadFloat();
                    break;
                case TypeTag:
                    int value = _input.ReadEnum();
                    if (value is >= (int)SentencePieceType.Normal and <= (int)SentencePieceType.Byte)
                        type = (SentencePieceType)value;
                    break;
                case 0:
                    throw new InvalidDataException("it ends inside a message");
                default:
                    _input.SkipLastField();
                    break;
            }
        }
        RequireMessageEnd(end);

        int length = _text.Count - start;
        if (length >= MaxPieceBytes)
            throw new InvalidDataException($"piece {_ends.Count} has {length} bytes, of less than {MaxPieceBytes}");
        if (_text.Count > MaxTextBytes)
            throw new InvalidDataException("its pieces have more than 16 MiB of text");
        _ends.Add(_text.Count);
        _scores.Add(score);
        _types.Add(type);
    }

    private bool ReadTrainerField(int field, WireType type)
    {
        switch (field, type)
        {
            case (3, WireType.Varint):
                int value = _input.ReadEnum();
                if (value is >= (int)SentencePieceAlgorithm.Unigram and <= (int)SentencePieceAlgorithm.Char)
                    _algorithm = (SentencePieceAlgorithm)value;
                return true;
            case (24, WireType.Varint):
                _whitespaceAsSuffix = _input.ReadBool();
                return true;
            case (35, WireType.Varint):
                _byteFallback = _input.ReadBool();
                return true;
            case (44, WireType.LengthDelimited):
                _unknownSurface = _input.ReadString();
                return true;
            case (47, WireType.LengthDelimited):
                _eosPiece = _input.ReadString() is { Length: > 0 } eos ? eos : "</s>";
                return true;
            case (48, WireType.LengthDelimited):
                _padPiece = _input.ReadString() is { Length: > 0 } pad ? pad : "<pad>";
                return true;
            default:
                return false;
        }
    }

    private bool ReadNormalizerField(ref SentencePieceNormalizerSpec spec, int field, WireType type)
    {
        switch (field, type)
        {
            case (2, WireType.LengthDelimited):
                spec = spec with { CharacterMap = _input.ReadBytes().Memory };
                return true;
            case (3, WireType.Varint):
                spec = spec with { AddDummyPrefix = _input.ReadBool() };
                return true;
            case (4, WireType.Varint):
                spec = spec with { RemoveExtraWhitespaces = _input.ReadBool() };
                return true;
            case (5, WireType.Varint):
                spec = spec with { EscapeWhitespaces = _input.ReadBool() };
                return true;
            default:
                return false;
        }
    }
}
