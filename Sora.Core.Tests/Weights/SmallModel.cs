using Sora.Tests.Text;
using Sora.Text;
using Sora.Weights;

namespace Sora.Tests.Weights;

/// <summary>
/// A model of a few hundred KB whose configs follow from its tensors, as those of the published models do, so that it can be
/// stored in every layout.
/// </summary>
internal sealed class SmallModel
{
    private readonly Dictionary<string, (NetworkKind Kind, ModelConfig Config, List<(string Name, long[] Shape, byte[] Data)> Tensors)> _parts = [];

    public SmallModel(WanTransformerConfig transformer, bool twoExperts = false)
    {
        Transformer = transformer;
        Add("transformer", NetworkKind.Transformer, transformer, 1);
        if (twoExperts)
            Add("transformer_2", NetworkKind.Transformer, transformer, 2);
        Add("vae", NetworkKind.Vae, Vae, 3);
        Add("text_encoder", NetworkKind.TextEncoder, TextEncoder, 4);
        if (transformer.ImageDim is not null)
            Add("image_encoder", NetworkKind.ImageEncoder, ImageEncoder, 5);
    }

    public static WanTransformerConfig TextToVideo { get; } = new()
    {
        NumAttentionHeads = 1,
        AttentionHeadDim = 128,
        InChannels = 16,
        OutChannels = 16,
        TextDim = 24,
        FreqDim = 16,
        FfnDim = 40,
        NumLayers = 2,
    };

    public static WanTransformerConfig ImageToVideo { get; } = TextToVideo with { InChannels = 36, ImageDim = 80, AddedKvProjDim = 128 };

    public static AutoencoderKLWanConfig Vae { get; } = new() { BaseDim = 4, NumResBlocks = 1 };

    public static ClipVisionConfig ImageEncoder { get; } = new()
    {
        HiddenSize = 80,
        IntermediateSize = 96,
        NumHiddenLayers = 2,
        NumAttentionHeads = 1,
        ImageSize = 28,
        PatchSize = 14,
        HiddenAct = ClipVisionConfig.Gelu,
        ProjectionDim = 1024,
    };

    public static byte[] SentencePiece { get; } = new SentencePieceModelBuilder(SmallCorpus.WordCounts).Build();

    public static UMT5Config TextEncoder { get; } = new()
    {
        DModel = 24,
        DKv = 8,
        DFf = 48,
        NumHeads = 3,
        NumLayers = 2,
        VocabSize = SentencePieceTokenizer.Load(SentencePiece).VocabularySize,
    };

    public WanTransformerConfig Transformer { get; }

    public IEnumerable<string> Parts => _parts.Keys;

    /// <summary>The values of a parameter, float32.</summary>
    public byte[] Values(string part, string name) => _parts[part].Tensors.Single(tensor => tensor.Name == name).Data;

    public IEnumerable<string> Names(string part) => _parts[part].Tensors.Select(tensor => tensor.Name);

    /// <summary>A part as a safetensors file under the names of diffusers.</summary>
    public void WriteDiffusers(string part, string path, IEnumerable<SafetensorsContent>? others = null) => WriteSafetensors(path, _parts[part].Tensors, others);

    /// <summary>A part as a safetensors file under its original names.</summary>
    public void WriteOriginal(string part, string path, string prefix = "") =>
        WriteSafetensors(path, Original(part).Select(tensor => (prefix + tensor.Name, tensor.Shape, tensor.Data)), null);

    /// <summary>A part as a checkpoint of torch.save under its original names.</summary>
    public void WritePickled(string part, string path, IEnumerable<(string Name, long[] Shape, byte[] Data)>? others = null)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        PickledFile.Write(path, Original(part).Concat(others ?? []).Select(tensor => (tensor.Name, SafetensorsType.F32, tensor.Shape, tensor.Data)));
    }

    /// <summary>The text encoder as a GGUF file under llama.cpp's names.</summary>
    public void WriteGgufTextEncoder(string path, TestGguf metadata)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        foreach ((string name, long[] shape, byte[] data) in _parts["text_encoder"].Tensors)
            metadata.Tensor(OriginalNames.TextEncoderGguf.Source(name)!.Value.Name, (uint)GgufType.F32, [.. shape.Reverse().Select(size => (ulong)size)], null, data);
        File.WriteAllBytes(path, metadata.ToBytes());
    }

    private static void WriteSafetensors(string path, IEnumerable<(string Name, long[] Shape, byte[] Data)> tensors, IEnumerable<SafetensorsContent>? others)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        SafetensorsWriter.Write(path, [.. tensors.Select(tensor => new SafetensorsContent(tensor.Name, SafetensorsType.F32, tensor.Shape, tensor.Data)), .. others ?? []]);
    }

    private void Add(string part, NetworkKind kind, ModelConfig config, ulong seed)
    {
        var values = new RandomValues(seed);
        var tensors = new List<(string, long[], byte[])>();
        foreach (NetworkParameter parameter in ParameterList.Of(config))
        {
            using var data = new MemoryStream();
            // Nothing is left at a constant, or tensors could be confused unnoticed.
            values.Write(part, parameter with { Initialization = Sora.Layers.Initialization.Normal(0.05) }, SafetensorsType.F32, data);
            tensors.Add((parameter.Name, parameter.Shape, data.ToArray()));
        }
        _parts.Add(part, (kind, config, tensors));
    }

    private IEnumerable<(string Name, long[] Shape, byte[] Data)> Original(string part)
    {
        (NetworkKind kind, _, List<(string Name, long[] Shape, byte[] Data)> tensors) = _parts[part];
        NameTable table = kind switch
        {
            NetworkKind.Transformer => OriginalNames.Transformer,
            NetworkKind.Vae => OriginalNames.Vae(Vae.NumResBlocks, Vae.IsResidual),
            NetworkKind.TextEncoder => OriginalNames.TextEncoder,
            _ => OriginalNames.ImageEncoder,
        };
        // The three projections of a layer of CLIP are one matrix, and its embeddings have a batch of one.
        foreach (var group in tensors.GroupBy(tensor => table.Source(tensor.Name)!.Value.Name))
        {
            (string Name, long[] Shape, byte[] Data)[] parts = [.. group.OrderBy(tensor => table.Source(tensor.Name)!.Value.Part)];
            long[] shape = [.. parts[0].Shape];
            shape[0] *= parts.Length;
            if (group.Key is "visual.cls_embedding")
                shape = [1, 1, .. shape];
            else if (group.Key is "visual.pos_embedding")
                shape = [1, .. shape];
            yield return (group.Key, shape, [.. parts.SelectMany(tensor => tensor.Data)]);
        }
    }
}
