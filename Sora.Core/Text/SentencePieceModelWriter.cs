using System.Buffers;
using Google.Protobuf;
using static Google.Protobuf.WireFormat;

namespace Sora.Text;

/// <summary>
/// Writes a unigram <c>spiece.model</c>; the counterpart of <see cref="SentencePieceModelReader"/>,
/// with the field numbers of sentencepiece_model.proto.
/// </summary>
internal sealed class SentencePieceModelWriter
{
    /// <summary>The name of the piece that pads a sequence; it must be the first piece added.</summary>
    public const string PadPiece = "<pad>";

    /// <summary>The name of the piece that ends a sequence; the second.</summary>
    public const string EosPiece = "</s>";

    /// <summary>The name of the unknown piece; the third.</summary>
    public const string UnknownPiece = "<unk>";

    private readonly ArrayBufferWriter<byte> _pieces = new();
    private int _count;

    /// <summary>Adds the next piece.</summary>
    public void AddPiece(string text, float score, SentencePieceType type)
    {
        ByteString piece = Message(output =>
        {
            output.WriteTag(1, WireType.LengthDelimited);
            output.WriteString(text);
            output.WriteTag(2, WireType.Fixed32);
            output.WriteFloat(score);
            output.WriteTag(3, WireType.Varint);
            output.WriteEnum((int)type);
        });
        _pieces.Write(Message(output =>
        {
            output.WriteTag(1, WireType.LengthDelimited);
            output.WriteBytes(piece);
        }).Span);
        _count++;
    }

    /// <summary>Makes the file's content.</summary>
    /// <param name="normalizer">What happens to text before it is cut.</param>
    /// <param name="byteFallback">Whether characters outside the vocabulary become byte pieces.</param>
    public byte[] ToBytes(SentencePieceNormalizerSpec normalizer, bool byteFallback = true)
    {
        ByteString specs = Message(output =>
        {
            output.WriteTag(2, WireType.LengthDelimited);
            output.WriteBytes(Message(spec => WriteTrainerSpec(spec, byteFallback)));
            output.WriteTag(3, WireType.LengthDelimited);
            output.WriteBytes(Message(spec => WriteNormalizerSpec(spec, normalizer)));
        });
        return [.. _pieces.WrittenSpan, .. specs.Span];
    }

    private void WriteTrainerSpec(CodedOutputStream output, bool byteFallback)
    {
        WriteInt32(output, 3, (int)SentencePieceAlgorithm.Unigram);
        WriteInt32(output, 4, _count);
        WriteBool(output, 35, byteFallback);
        WriteInt32(output, 40, 2);
        WriteInt32(output, 41, -1);
        WriteInt32(output, 42, 1);
        WriteInt32(output, 43, 0);
        WriteString(output, 45, UnknownPiece);
        WriteString(output, 47, EosPiece);
        WriteString(output, 48, PadPiece);
    }

    private static void WriteNormalizerSpec(CodedOutputStream output, SentencePieceNormalizerSpec normalizer)
    {
        WriteString(output, 1, "user_defined");
        output.WriteTag(2, WireType.LengthDelimited);
        output.WriteBytes(ByteString.CopyFrom(normalizer.CharacterMap.Span));
        WriteBool(output, 3, normalizer.AddDummyPrefix);
        WriteBool(output, 4, normalizer.RemoveExtraWhitespaces);
        WriteBool(output, 5, normalizer.EscapeWhitespaces);
    }

    private static void WriteInt32(CodedOutputStream output, int field, int value)
    {
        output.WriteTag(field, WireType.Varint);
        output.WriteInt32(value);
    }

    private static void WriteBool(CodedOutputStream output, int field, bool value)
    {
        output.WriteTag(field, WireType.Varint);
        output.WriteBool(value);
    }

    private static void WriteString(CodedOutputStream output, int field, string value)
    {
        output.WriteTag(field, WireType.LengthDelimited);
        output.WriteString(value);
    }

    private static ByteString Message(Action<CodedOutputStream> write)
    {
        using var stream = new MemoryStream();
        using (var output = new CodedOutputStream(stream, leaveOpen: true))
            write(output);
        return ByteString.CopyFrom(stream.GetBuffer(), 0, (int)stream.Length);
    }
}
