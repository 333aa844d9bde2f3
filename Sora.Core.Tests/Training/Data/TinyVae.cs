using Sora.Layers;
using Sora.Tests.VideoVae;
using Sora.Training;
using Sora.VideoVae;
using Sora.Weights;

namespace Sora.Tests.Training.Data;

/// <summary>An untrained autoencoder of a few thousand parameters, strides 8 and 4.</summary>
internal static class TinyVae
{
    /// <summary>Writes it as a component; another seed is another autoencoder.</summary>
    public static string Write(string folder, ulong seed = 1, bool linearCode = false)
    {
        AutoencoderKLWanConfig config = TinyTraining.Vae(folder, 1).Vae with { LinearCodeFirst = linearCode ? 2 : 0, LinearCodeChannels = linearCode ? 2 : 0 };
        using VideoAutoencoder network = linearCode ? TestAutoencoder.WithLinearCode(config, 2, 2) : new(config, new FreshParameters(seed, float32));
        Directory.CreateDirectory(folder);
        SafetensorsWriter.Write(
            Path.Combine(folder, "diffusion_pytorch_model.safetensors"),
            network.Parameters.Select(p => TrainingState.ContentOf(p.Key, p.Value, float32)));
        config.Save(Path.Combine(folder, "config.json"));
        return folder;
    }

    public static VideoAutoencoder Load(string folder) =>
        new(AutoencoderKLWanConfig.Load(Path.Combine(folder, "config.json")), new CheckpointParameters(folder, float32, CPU));
}
