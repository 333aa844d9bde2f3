using System.Text;
using Sora.Text;

namespace Sora.Weights;

/// <summary>
/// The tokenizer inside a GGUF file of a text encoder: the pieces of its <c>spiece.model</c>, their scores and types, and the
/// character map, under the names of gguf's specification, as llama.cpp's converter writes them for T5 and UMT5.
/// </summary>
internal static class GgufTokenizer
{
    /// <summary>The name of the pieces; a file without them has no tokenizer.</summary>
    public const string Pieces = "tokenizer.ggml.tokens";

    private const string Model = "tokenizer.ggml.model";
    private const string Unigram = "t5";

    /// <summary>Whether a file has a tokenizer that can be read.</summary>
    public static bool IsIn(GgufFile file) => file.Metadata.GetValueOrDefault(Model) is Unigram && file.Texts(Pieces) is { Count: > 0 };

    /// <summary>The same as the content of a <c>spiece.model</c>.</summary>
    /// <exception cref="SoraException">The file has no such tokenizer, or what it says of it does not fit together.</exception>
    public static byte[] ReadSentencePiece(GgufFile file)
    {
        if (file.Metadata.GetValueOrDefault(Model) is not Unigram || file.Texts(Pieces) is not { } pieces)
            throw new SoraException($"{file.Path}: it has no tokenizer of the kind '{Unigram}' ({Model}, {Pieces}).");
        float[] scores = file.Numbers<float>("tokenizer.ggml.scores") ?? throw Lacks("tokenizer.ggml.scores");
        int[] types = file.Numbers<int>("tokenizer.ggml.token_type") ?? throw Lacks("tokenizer.ggml.token_type");
        var writer = new SentencePieceModelWriter();
        int count = 0, bytes = 0;
        foreach (byte[] piece in pieces)
        {
            if (count >= scores.Length || count >= types.Length || !Enum.IsDefined((SentencePieceType)types[count]))
                throw Lacks($"a score and a known type for piece {count}");
            var type = (SentencePieceType)types[count];
            bytes += type == SentencePieceType.Byte ? 1 : 0;
            writer.AddPiece(Encoding.UTF8.GetString(piece), scores[count], type);
            count++;
        }
        RequireId("padding_token_id", 0);
        RequireId("eos_token_id", 1);
        RequireId("unknown_token_id", 2);
        return writer.ToBytes(
            new SentencePieceNormalizerSpec
            {
                CharacterMap = file.Numbers<byte>("tokenizer.ggml.precompiled_charsmap") ?? [],
                AddDummyPrefix = file.Metadata.GetValueOrDefault("tokenizer.ggml.add_space_prefix") is not false,
                RemoveExtraWhitespaces = file.Metadata.GetValueOrDefault("tokenizer.ggml.remove_extra_whitespaces") is not false,
            },
            byteFallback: bytes > 0);

        SoraException Lacks(string what) => new($"{file.Path}: its tokenizer lacks {what}.");

        // UMT5's. Where a file does not say them they are these too.
        void RequireId(string name, uint id)
        {
            if (file.Metadata.GetValueOrDefault($"tokenizer.ggml.{name}") is uint found && found != id)
                throw new SoraException($"{file.Path}: tokenizer.ggml.{name} is {found}; UMT5's is {id}.");
        }
    }
}
