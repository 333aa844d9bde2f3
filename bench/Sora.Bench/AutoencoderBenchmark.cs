using Sora.Layers;
using Sora.Training;
using Sora.Training.SpriteWorld;
using Sora.VideoVae;
using Sora.Weights;

namespace Sora.Bench;

/// <summary>How near the pocket model's autoencoder comes to clips of the whole catalogue, of combinations that are never trained on.</summary>
internal static class AutoencoderBenchmark
{
    public static IEnumerable<Measurement> Run(bool quick)
    {
        var world = new World(SpriteWorldConfig.Everything, SpriteAtlas.Load(SpriteAtlas.DefaultFolder, SpriteWorldConfig.Everything.Subjects));
        string folder = Path.Combine(Repository.PocketModel ?? throw new InvalidOperationException("models/pocket is missing."), "vae");
        using var parameters = new CheckpointParameters(folder, ComputeTypes.Of(Precision.Auto, CPU), CPU);
        using var vae = new VideoAutoencoder(AutoencoderKLWanConfig.Load(Path.Combine(folder, "config.json")), parameters);
        foreach (ClipShape shape in quick ? [new(64, 64, 5)] : (ClipShape[])[new(64, 64, 1), new(64, 64, 5), new(64, 64, 17), new(128, 128, 17)])
        {
            (double psnr, double similarity) = Measure(vae, world, shape, quick ? 1 : 64);
            yield return new($"autoencoder, {shape}: PSNR", psnr, "dB", Least: 32);
            yield return new($"autoencoder, {shape}: SSIM", similarity, "", Least: 0.95);
        }
    }

    // PSNR of the mean squared error over all clips; pixels span 2, from −1 to 1.
    private static (double Psnr, double Similarity) Measure(VideoAutoencoder vae, World world, ClipShape shape, int clips)
    {
        using IDisposable noGradients = no_grad();
        double squared = 0, similarity = 0;
        for (int i = 0; i < clips; i++)
        {
            using DisposeScope scope = NewDisposeScope();
            var rgb = new byte[shape.Pixels * 3];
            world.Render(world.SampleHeldOut((ulong)i), shape.Width, shape.Height, shape.Frames, 8, rgb);
            Tensor clip = new ClipBatch(rgb, [""], shape).ToTensor(CPU), decoded = vae.Decode(vae.Encode(clip).Mean);
            squared += (decoded - clip).square().mean().item<float>() / clips;
            similarity += StructuralSimilarity.Of(decoded, clip).item<float>() / clips;
        }
        return (-10 * Math.Log10(squared / 4), similarity);
    }
}
