using System.Text;

namespace Sora.Text;

/// <summary>
/// A SentencePiece model (<c>spiece.model</c>, unigram or BPE) in managed code, equal to <c>spm_encode</c>: the
/// normaliser with its compiled character map, user-defined pieces, byte fallback, and the order among equal scores.
/// </summary>
/// <remarks>
/// Names such as <c>&lt;/s&gt;</c> inside a text are ordinary characters, as in sentencepiece. A lone surrogate counts
/// as U+FFFD. Instances are immutable and safe to share between threads.
/// </remarks>
public sealed class SentencePieceTokenizer : ITokenizer
{
    // Published models have 0.25 to 5 MB.
    private const int MaxFileBytes = 1 << 28;

    private readonly SentencePieceModel _model;
    private readonly SentencePieceNormalizer _normalizer;
    private readonly ISentencePieceSegmenter _segmenter;
    private readonly SentencePieceDecoder _decoder;

    private SentencePieceTokenizer(SentencePieceModel model)
    {
        _model = model;
        SentencePieceVocabulary vocabulary = model.Vocabulary;
        _normalizer = new SentencePieceNormalizer(
            model.Normalizer, vocabulary.UserDefined, model.TreatWhitespaceAsSuffix);
        _segmenter = model.Algorithm == SentencePieceAlgorithm.Bpe
            ? new SentencePieceBpe(vocabulary)
            : new SentencePieceUnigram(vocabulary);
        _decoder = new SentencePieceDecoder(model);
        PadId = vocabulary.FindControl(model.PadPiece);
        EosId = vocabulary.FindControl(model.EosPiece);
    }

    /// <inheritdoc/>
    public int VocabularySize => _model.Vocabulary.Count;

    /// <inheritdoc/>
    public int PadId { get; }

    /// <inheritdoc/>
    public int EosId { get; }

    /// <inheritdoc/>
    public int UnknownId => _model.Vocabulary.UnknownId;

    /// <summary>Loads a model file.</summary>
    /// <param name="path">Path of a <c>spiece.model</c>.</param>
    /// <exception cref="SoraException">The file is missing or is not a usable model; the message says why.</exception>
    public static SentencePieceTokenizer Load(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 1);
            return Load(file, path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new SoraException($"The tokenizer {path} cannot be read: {exception.Message}", exception);
        }
    }

    /// <summary>Loads a model from a stream, up to its end.</summary>
    /// <param name="stream">The content of a <c>spiece.model</c>.</param>
    /// <param name="name">What error messages call it.</param>
    /// <exception cref="SoraException">The content is not a usable model; the message says why.</exception>
    public static SentencePieceTokenizer Load(Stream stream, string name = "spiece.model")
    {
        ArgumentNullException.ThrowIfNull(stream);
        using var content = new MemoryStream();
        byte[] buffer = new byte[1 << 16];
        for (int count; (count = stream.Read(buffer)) > 0;)
        {
            if (content.Length + count > MaxFileBytes)
                throw Unusable(name, new InvalidDataException($"it has more than {MaxFileBytes >> 20} MiB"));
            content.Write(buffer, 0, count);
        }
        return Parse(content.ToArray(), name);
    }

    /// <summary>Loads a model from memory.</summary>
    /// <param name="content">The content of a <c>spiece.model</c>.</param>
    /// <param name="name">What error messages call it.</param>
    /// <exception cref="SoraException">The content is not a usable model; the message says why.</exception>
    public static SentencePieceTokenizer Load(ReadOnlyMemory<byte> content, string name = "spiece.model")
        => Parse(content.ToArray(), name);

    /// <inheritdoc/>
    public int[] Encode(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return Encode(Encoding.UTF8.GetBytes(text));
    }

    /// <summary>Encodes UTF-8 text; each byte that is not part of a well-formed character counts as U+FFFD.</summary>
    /// <param name="utf8">Any bytes.</param>
    public int[] Encode(ReadOnlySpan<byte> utf8)
    {
        ReadOnlySpan<byte> text = _normalizer.Normalize(utf8);
        var pieces = new List<(int Length, int Id)>();
        _segmenter.Segment(text, pieces);

        var ids = new List<int>(pieces.Count);
        bool afterUnknown = false;
        foreach ((int length, int id) in pieces)
        {
            bool unknown = id == UnknownId;
            if (unknown && _model.ByteFallback)
            {
                foreach (byte value in text[..length])
                    ids.Add(_model.Vocabulary.ByteId(value));
            }
            else if (!(unknown && afterUnknown))
            {
                // Unknown pieces in a row are one.
                ids.Add(id);
            }
            text = text[length..];
            afterUnknown = unknown;
        }
        return [.. ids];
    }

    /// <inheritdoc/>
    public string Decode(ReadOnlySpan<int> ids)
    {
        foreach (int id in ids)
        {
            if (id < 0 || id >= VocabularySize)
            {
                throw new ArgumentOutOfRangeException(
                    nameof(ids), id, $"Id {id} is outside the vocabulary, 0 to {VocabularySize - 1}.");
            }
        }
        return _decoder.Decode(ids);
    }

    private static SentencePieceTokenizer Parse(byte[] content, string name)
    {
        try
        {
            return new SentencePieceTokenizer(SentencePieceModelReader.Read(content));
        }
        catch (InvalidDataException exception)
        {
            throw Unusable(name, exception);
        }
    }

    private static SoraException Unusable(string name, InvalidDataException reason)
        => new($"The tokenizer {name} is not a usable SentencePiece model: {reason.Message}.", reason);
}
