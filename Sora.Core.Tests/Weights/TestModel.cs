using Sora.Weights;

namespace Sora.Tests.Weights;

/// <summary>A model folder with every part, tiny, whose weights are one tensor each.</summary>
internal static class TestModel
{
    public static WanTransformerConfig Transformer { get; } = new()
    {
        NumAttentionHeads = 2,
        AttentionHeadDim = 16,
        InChannels = 4,
        OutChannels = 4,
        TextDim = 24,
        FreqDim = 16,
        FfnDim = 40,
        NumLayers = 2,
    };

    public static AutoencoderKLWanConfig Vae { get; } = new()
    {
        BaseDim = 2,
        ZDim = 4,
        NumResBlocks = 1,
        LatentsMean = [0.1, 0.2, -0.3, 0],
        LatentsStd = [1, 2, 0.5, 1.25],
    };

    public static UMT5Config TextEncoder { get; } = new()
    {
        DModel = 24,
        DKv = 8,
        DFf = 48,
        NumHeads = 3,
        NumLayers = 2,
        VocabSize = 300,
    };

    public static ClipVisionConfig ImageEncoder { get; } = new()
    {
        HiddenSize = 16,
        IntermediateSize = 32,
        NumHiddenLayers = 2,
        NumAttentionHeads = 2,
        ImageSize = 32,
        PatchSize = 8,
    };

    public static ClipImageProcessorConfig ImageProcessor { get; } = new() { ShortestEdge = 32, CropSize = new(32, 32) };

    public static SchedulerConfig Scheduler { get; } = new() { ClassName = SchedulerConfig.UniPC, Shift = 3 };

    public static void WriteTo(TemporaryFolder folder, ModelIndex? index = null)
    {
        index ??= new ModelIndex();
        foreach (ModelComponent part in index.Components.Where(part => part.IsPresent))
            Directory.CreateDirectory(folder.File(part.Name));
        index.Save(folder.File("model_index.json"));
        Transformer.Save(folder.File("transformer", "config.json"));
        Vae.Save(folder.File("vae", "config.json"));
        TextEncoder.Save(folder.File("text_encoder", "config.json"));
        Scheduler.Save(folder.File("scheduler", "scheduler_config.json"));
        new TokenizerConfig { ModelMaxLength = 512 }.Save(folder.File("tokenizer", "tokenizer_config.json"));
        folder.Write(Path.Combine("tokenizer", "spiece.model"), "model");
        WriteWeights(folder.File("transformer", "diffusion_pytorch_model.safetensors"));
        WriteWeights(folder.File("vae", "diffusion_pytorch_model.safetensors"));
        WriteWeights(folder.File("text_encoder", "model.safetensors"));
        if (index.Find("image_encoder") is not null)
        {
            ImageEncoder.Save(folder.File("image_encoder", "config.json"));
            WriteWeights(folder.File("image_encoder", "model.safetensors"));
        }
        if (index.Find("image_processor") is not null)
            ImageProcessor.Save(folder.File("image_processor", ClipImageProcessorConfig.FileName));
        if (index.Find("transformer_2") is null)
            return;
        Transformer.Save(folder.File("transformer_2", "config.json"));
        WriteWeights(folder.File("transformer_2", "diffusion_pytorch_model.safetensors"));
    }

    private static void WriteWeights(string path) =>
        SafetensorsWriter.Write(path, [TestWeights.Tensor("weight", SafetensorsType.F32, 2)]);
}
