using Sora.Sampling;
using Sora.Text;
using Sora.Transformer;
using Sora.Weights;

namespace Sora.Training;

/// <summary>Writes trained networks as a model folder in the diffusers layout, weights in bfloat16.</summary>
internal static class ModelFolderWriter
{
    /// <summary>Writes transformer, text encoder, tokenizer, scheduler and index, and copies the autoencoder, with channels that it leaves empty where the transformer draws more than its own.</summary>
    public static void Write(string folder, DiffusionTransformer transformer, UMT5Encoder textEncoder, string tokenizerPath, string vaeFolder, SamplePrediction prediction, RequestDefaults defaults, int moreChannels = 0)
    {
        string transformerFolder = Part("transformer"), textFolder = Part("text_encoder"), tokenizerFolder = Part("tokenizer"), vae = Part("vae"), scheduler = Part("scheduler");
        SafetensorsWriter.Write(Path.Combine(transformerFolder, "diffusion_pytorch_model.safetensors"), transformer.Parameters.Select(p => TrainingState.ContentOf(p.Key, p.Value, bfloat16)));
        transformer.Config.Save(Path.Combine(transformerFolder, "config.json"));
        SafetensorsWriter.Write(Path.Combine(textFolder, "model.safetensors"), textEncoder.Parameters.Select(p => TrainingState.ContentOf(p.Key, p.Value, bfloat16)));
        textEncoder.Config.Save(Path.Combine(textFolder, "config.json"));
        AtomicFile.Copy(tokenizerPath, Path.Combine(tokenizerFolder, "spiece.model"));
        new TokenizerConfig { ModelMaxLength = defaults.MaxSequenceLength }.Save(Path.Combine(tokenizerFolder, "tokenizer_config.json"));
        if (moreChannels > 0)
            WidenedAutoencoder.Write(vaeFolder, vae, moreChannels);
        foreach (string file in moreChannels > 0 ? [] : (string[])["config.json", "diffusion_pytorch_model.safetensors"])
            AtomicFile.Copy(Path.Combine(vaeFolder, file), Path.Combine(vae, file));
        new SchedulerConfig { ClassName = SchedulerConfig.UniPC, Shift = defaults.Shift, Prediction = prediction }.Save(Path.Combine(scheduler, "scheduler_config.json"));
        new ModelIndex().Save(Path.Combine(folder, "model_index.json"));
        defaults.Save(Path.Combine(folder, RequestDefaults.FileName));

        string Part(string name) => Directory.CreateDirectory(Path.Combine(folder, name)).FullName;
    }
}
