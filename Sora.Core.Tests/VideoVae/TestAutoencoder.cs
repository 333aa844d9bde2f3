using Sora.Tests.Engine;
using Sora.Tests.Text;
using Sora.VideoVae;
using Sora.Weights;

namespace Sora.Tests.VideoVae;

/// <summary>The small autoencoders of the fixtures: all parameters random, and both published kinds.</summary>
internal static class TestAutoencoder
{
    public static VideoAutoencoder Load(string name)
    {
        string folder = TestFiles.Folder(name);
        return new(AutoencoderKLWanConfig.Load(Path.Combine(folder, "config.json")), new CheckpointParameters(folder, float32, CPU));
    }

    public static Tensor Video(long frames) => RandomTensor.Create(1, 1, 3, frames, 32, 32).clamp(-1, 1);

    public static Tensor Latents(VideoAutoencoder vae, long frames) => RandomTensor.Create(2, 1, vae.Config.ZDim, frames, 2, 3);
}
