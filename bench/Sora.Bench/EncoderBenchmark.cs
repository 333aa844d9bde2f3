using Sora.VideoVae;
using Sora.Weights;

namespace Sora.Bench;

/// <summary>Encoding 13 frames of 256×256 with a VAE of Wan 2.1's size beside the same convolution as <see cref="DecoderBenchmark"/>.</summary>
internal static class EncoderBenchmark
{
    public static IEnumerable<Measurement> Run(bool quick)
    {
        using IDisposable noGradients = no_grad();
        using DisposeScope scope = NewDisposeScope();
        var config = new AutoencoderKLWanConfig { BaseDim = quick ? 8 : 96 };
        (int frames, int side) = quick ? (5, 32) : (13, 256);
        using var vae = new VideoAutoencoder(config, new RepeatedParameters());
        Tensor video = BenchDevice.Random([1, 3, frames, side, side], "video");

        long c = config.BaseDim, chunk = config.TemporalStride;
        Tensor x = ones([1, c, chunk + 2, side, side], bfloat16, BenchDevice.Current);
        Tensor weight = ones([c, c, 3, 3, 3], bfloat16, BenchDevice.Current);
        double limit = 2.0 * c * c * 27 * chunk * side * side;

        Share share = Median.ShareOf(
            (() => Encode(vae, video), EncoderOperations.Count(config, frames, (double)side * side)),
            (() => nn.functional.conv3d(x, weight, null, [1, 1, 1], [0, 1, 1]).Dispose(), limit),
            quick ? 1 : 5);
        yield return new("VAE encoding, bf16", share.Rate / 1e9, "GFLOP/s");
        yield return new("VAE encoding / 3-D convolution", share.Value, "%", Least: 0.75);
    }

    private static void Encode(VideoAutoencoder vae, Tensor video)
    {
        using DisposeScope scope = NewDisposeScope();
        vae.Encode(video);
    }
}
