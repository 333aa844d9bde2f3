using Sora.Layers;
using Sora.Tests.Engine;
using Sora.Tests.Text;
using Sora.VideoVae;
using Sora.Weights;

namespace Sora.Tests.VideoVae;

/// <summary>The small autoencoders of the fixtures: all parameters random, and both published kinds; and the second with a linear code.</summary>
internal static class TestAutoencoder
{
    public const string LinearCode = "D_vae_wan22 with a linear code";

    public static VideoAutoencoder Load(string name)
    {
        if (name == LinearCode)
            return WithLinearCode(AutoencoderKLWanConfig.Load(Path.Combine(TestFiles.Folder("D_vae_wan22"), "config.json")), 4, 3);
        string folder = TestFiles.Folder(name);
        return new(AutoencoderKLWanConfig.Load(Path.Combine(folder, "config.json")), new CheckpointParameters(folder, float32, CPU));
    }

    /// <summary>Random parameters, those that begin as nothing too.</summary>
    public static VideoAutoencoder WithLinearCode(AutoencoderKLWanConfig config, int first, int channels)
    {
        var vae = new VideoAutoencoder(config with { LinearCodeFirst = first, LinearCodeChannels = channels }, new FreshParameters(3, float32));
        using IDisposable noGradients = no_grad();
        ulong seed = 100;
        foreach (Parameter parameter in vae.Parameters.Values.Where(p => p.square().max().item<float>() == 0))
        {
            using Tensor values = RandomTensor.Create(seed++, parameter.shape);
            parameter.copy_(values.mul_(0.05));
        }
        return vae;
    }

    public static Tensor Video(long frames) => RandomTensor.Create(1, 1, 3, frames, 32, 32).clamp(-1, 1);

    public static Tensor Latents(VideoAutoencoder vae, long frames) => RandomTensor.Create(2, 1, vae.Config.ZDim, frames, 2, 3);
}
