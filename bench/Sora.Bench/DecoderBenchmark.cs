using Sora.Latents;
using Sora.VideoVae;
using Sora.Weights;

namespace Sora.Bench;

/// <summary>
/// Decoding with a VAE of Wan 2.1's size beside the bare bfloat16 3-D convolution that most of its work is: 3×3×3, 96 to 96
/// channels, four frames at the full size.
/// </summary>
internal static class DecoderBenchmark
{
    public static IEnumerable<Measurement> Run(bool quick)
    {
        using IDisposable noGradients = no_grad();
        using DisposeScope scope = NewDisposeScope();
        var config = new AutoencoderKLWanConfig { BaseDim = quick ? 8 : 96 };
        (int t, int side) = quick ? (2, 4) : (4, 32);
        using var vae = new VideoAutoencoder(config, new RepeatedParameters());
        var values = new float[config.ZDim * t * side * side];
        new GaussianNoise(1, "latents").Fill(values);
        Tensor latents = tensor(values, [1, config.ZDim, t, side, side]).to(BenchDevice.Current);

        long c = config.BaseDim, pixels = side * config.SpatialStride, frames = config.TemporalStride;
        Tensor x = ones([1, c, frames + 2, pixels, pixels], bfloat16, BenchDevice.Current);
        Tensor weight = ones([c, c, 3, 3, 3], bfloat16, BenchDevice.Current);
        double limit = 2.0 * c * c * 27 * frames * pixels * pixels;

        Share share = Median.ShareOf(
            (() => Decode(vae, latents), DecoderOperations.Count(config, t, side, side)),
            (() => nn.functional.conv3d(x, weight, null, [1, 1, 1], [0, 1, 1]).Dispose(), limit),
            quick ? 1 : 5);
        yield return new("3-D convolution, bf16", share.Limit / 1e9, "GFLOP/s");
        yield return new("VAE decoding, bf16", share.Rate / 1e9, "GFLOP/s");
        yield return new("VAE decoding / 3-D convolution", share.Value, "%", Least: 0.75);
    }

    private static void Decode(VideoAutoencoder vae, Tensor latents)
    {
        foreach (Tensor chunk in vae.DecodeChunks(latents))
            chunk.Dispose();
    }
}
