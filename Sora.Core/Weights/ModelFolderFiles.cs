namespace Sora.Weights;

/// <summary>What a model folder in the layout of diffusers holds, and how it is written.</summary>
/// <param name="Networks">Each network's part, config and tensors.</param>
internal sealed record ModelFolderFiles(IReadOnlyList<(string Part, ModelConfig Config, IReadOnlyList<SafetensorsContent> Tensors)> Networks)
{
    /// <summary>Networks in GGUF files: each one's part, config, metadata and tensors.</summary>
    public IReadOnlyList<(string Part, ModelConfig Config, IReadOnlyList<KeyValuePair<string, object>> Metadata, IReadOnlyList<GgufContent> Tensors)> Quantized { get; init; } = [];

    /// <summary>Files besides the networks': where, and what writes each.</summary>
    public IReadOnlyList<(string Part, string Name, Action<string> Write)> Others { get; init; } = [];

    /// <summary>The bytes of all weights.</summary>
    public long ByteLength => Networks.Sum(network => network.Tensors.Sum(tensor => tensor.ByteLength))
        + Quantized.Sum(network => network.Tensors.Sum(tensor => tensor.ByteLength));

    /// <summary>Writes the folder; it is there complete or not at all.</summary>
    /// <exception cref="SoraException">The folder cannot be written.</exception>
    public void Write(string folder, long shardBytes = ShardedWeights.ShardBytes)
    {
        using var made = new NewModelFolder(folder, ByteLength);
        foreach ((string part, string name, Action<string> write) in Others)
            write(made.PathOf(part, name));
        foreach ((string part, ModelConfig config, IReadOnlyList<SafetensorsContent> tensors) in Networks)
        {
            config.Save(made.PathOf(part, "config.json"));
            ShardedWeights.Write(made.Folder(part), NameOf(config), tensors, shardBytes);
        }
        foreach ((string part, ModelConfig config, IReadOnlyList<KeyValuePair<string, object>> metadata, IReadOnlyList<GgufContent> tensors) in Quantized)
        {
            config.Save(made.PathOf(part, "config.json"));
            GgufWriter.Write(made.PathOf(part, $"{NameOf(config)}.gguf"), metadata, tensors);
        }
        made.Finish();
    }

    /// <summary>The files of a whole model besides its networks'.</summary>
    public static IReadOnlyList<(string Part, string Name, Action<string> Write)> OthersOf(
        ModelIndex index, SchedulerConfig scheduler, TokenizerConfig tokenizer, ClipImageProcessorConfig? processor, RequestDefaults defaults, byte[] sentencePiece) =>
    [
        ("", "model_index.json", index.Save),
        ("scheduler", "scheduler_config.json", scheduler.Save),
        ("tokenizer", "tokenizer_config.json", tokenizer.Save),
        ("tokenizer", "spiece.model", path => AtomicFile.Write(path, sentencePiece.Length, stream => stream.Write(sentencePiece))),
        .. processor is null ? ((string, string, Action<string>)[])[] : [("image_processor", ClipImageProcessorConfig.FileName, processor.Save)],
        ("", RequestDefaults.FileName, defaults.Save),
    ];

    // transformers' files have another name than diffusers'.
    private static string NameOf(ModelConfig config) =>
        config is UMT5Config or ClipVisionConfig ? "model" : "diffusion_pytorch_model";
}
