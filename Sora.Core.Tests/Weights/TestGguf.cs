using System.Text;
using Sora.Text;
using Sora.Weights;

namespace Sora.Tests.Weights;

/// <summary>Writes small GGUF files, right and wrong: every number of the header can be a lie.</summary>
internal sealed class TestGguf
{
    private readonly List<(string Key, uint Type, Action<BinaryWriter> Value)> _metadata = [];
    private readonly List<(string Name, ulong[] Dimensions, uint Type, ulong? Offset, byte[] Data)> _tensors = [];

    public uint Version { get; init; } = 3;

    public ulong? TensorCount { get; init; }

    public ulong? MetadataCount { get; init; }

    public int Alignment { get; init; } = 32;

    /// <summary>A file with several types, whose data are a small part of it.</summary>
    public static TestGguf Small() => new TestGguf()
        .Text("general.architecture", "wan")
        .Value("general.quantization_version", 4, writer => writer.Write(2u))
        .Value("tokens", 9, writer => Array(writer, 8, "a", "", "bc"))
        .Tensor("blocks.0.q.weight", GgufType.Q8_0, 2, 32)
        .Tensor("blocks.0.k.weight", GgufType.Q4_0, 1, 32)
        .Tensor("blocks.0.ffn.weight", GgufType.Q4_K, 1, 256)
        .Tensor("blocks.0.norm.weight", GgufType.F32, 3)
        .Tensor("patch.weight", GgufType.F16, 2, 1, 1, 1, 2);

    public TestGguf Text(string key, string text) => Value(key, 8, writer => Text(writer, text));

    public TestGguf Value(string key, uint type, Action<BinaryWriter> value)
    {
        _metadata.Add((key, type, value));
        return this;
    }

    /// <summary>The tokenizer of a <c>spiece.model</c>, as llama.cpp's converter writes it.</summary>
    public TestGguf Tokenizer(byte[] sentencePiece)
    {
        SentencePieceModel model = SentencePieceModelReader.Read(sentencePiece);
        int[] ids = [.. Enumerable.Range(0, model.Vocabulary.Count)];
        return Text("tokenizer.ggml.model", "t5")
            .Value("tokenizer.ggml.tokens", 9, writer => Array(writer, 8, [.. ids.Select(id => Encoding.UTF8.GetString(model.Vocabulary.Text(id)))]))
            .Value("tokenizer.ggml.scores", 9, writer => Numbers(writer, 6, ids.Length, id => writer.Write(model.Vocabulary.Score(id))))
            .Value("tokenizer.ggml.token_type", 9, writer => Numbers(writer, 5, ids.Length, id => writer.Write((int)model.Vocabulary.Type(id))))
            .Value("tokenizer.ggml.add_space_prefix", 7, writer => writer.Write(model.Normalizer.AddDummyPrefix))
            .Value("tokenizer.ggml.remove_extra_whitespaces", 7, writer => writer.Write(model.Normalizer.RemoveExtraWhitespaces))
            .Value("tokenizer.ggml.precompiled_charsmap", 9, writer => Numbers(writer, 0, model.Normalizer.CharacterMap.Length, i => writer.Write(model.Normalizer.CharacterMap.Span[i])))
            .Value("tokenizer.ggml.eos_token_id", 4, writer => writer.Write(1u))
            .Value("tokenizer.ggml.padding_token_id", 4, writer => writer.Write(0u))
            .Value("tokenizer.ggml.unknown_token_id", 4, writer => writer.Write(2u));
    }

    /// <summary>Writes another value under a key, or, without one, leaves the key out.</summary>
    public TestGguf Replace(string key, Action<BinaryWriter>? value)
    {
        int place = _metadata.FindIndex(one => one.Key == key);
        if (value is null)
            _metadata.RemoveAt(place);
        else
            _metadata[place] = _metadata[place] with { Value = value };
        return this;
    }

    /// <summary>A tensor of bytes that count up, row-major shape.</summary>
    public TestGguf Tensor(string name, GgufType type, params long[] shape)
    {
        long bytes = shape.Aggregate(1L, (product, size) => product * size) / type.BlockElements() * type.BlockBytes();
        return Tensor(name, (uint)type, [.. shape.Reverse().Select(size => (ulong)size)], null, TestWeights.Data(name, bytes));
    }

    /// <summary>A tensor as the file describes it: sizes fastest first, an offset that may be wrong.</summary>
    public TestGguf Tensor(string name, uint type, ulong[] dimensions, ulong? offset, byte[] data)
    {
        _tensors.Add((name, dimensions, type, offset, data));
        return this;
    }

    public byte[] ToBytes()
    {
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        writer.Write("GGUF"u8);
        writer.Write(Version);
        writer.Write(TensorCount ?? (ulong)_tensors.Count);
        writer.Write(MetadataCount ?? (ulong)_metadata.Count);
        foreach ((string key, uint type, Action<BinaryWriter> value) in _metadata)
        {
            Text(writer, key);
            writer.Write(type);
            value(writer);
        }
        ulong end = 0;
        foreach ((string name, ulong[] dimensions, uint type, ulong? offset, byte[] data) in _tensors)
        {
            Text(writer, name);
            writer.Write(dimensions.Length);
            foreach (ulong size in dimensions)
                writer.Write(size);
            writer.Write(type);
            writer.Write(offset ?? end);
            end += (ulong)Padded(data.Length);
        }
        writer.Write(new byte[Padded((int)stream.Position) - (int)stream.Position]);
        // The last tensor is not filled up, so that every byte of the file counts.
        for (int i = 0; i < _tensors.Count; i++)
        {
            writer.Write(_tensors[i].Data);
            if (i < _tensors.Count - 1)
                writer.Write(new byte[Padded(_tensors[i].Data.Length) - _tensors[i].Data.Length]);
        }
        return stream.ToArray();
    }

    private static void Text(BinaryWriter writer, string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        writer.Write((ulong)bytes.Length);
        writer.Write(bytes);
    }

    private static void Array(BinaryWriter writer, uint type, params string[] texts)
    {
        writer.Write(type);
        writer.Write((ulong)texts.Length);
        foreach (string text in texts)
            Text(writer, text);
    }

    private static void Numbers(BinaryWriter writer, uint type, int count, Action<int> write)
    {
        writer.Write(type);
        writer.Write((ulong)count);
        for (int i = 0; i < count; i++)
            write(i);
    }

    private int Padded(int length) => (length + Alignment - 1) / Alignment * Alignment;
}
