using System.Globalization;
using Sora.VideoVae;
using Sora.Weights;

namespace Sora.Bench;

/// <summary>
/// Peak memory of decoding a long video beside a short one, each in a process of its own: decoding goes chunk by chunk, so
/// the length must not show.
/// </summary>
internal static class DecodingMemoryBenchmark
{
    /// <summary>The child that decodes so many frames and gives its peak in bytes and the seconds of decoding.</summary>
    public const string Child = "decoding";

    public static IEnumerable<Measurement> Run(bool quick)
    {
        (int few, int many) = quick ? (5, 17) : (17, 1701);
        double first = Decode(few).Peak, second = Decode(many).Peak;
        yield return new($"peak memory of decoding {few} frames", first / (1 << 20), "MiB");
        yield return new($"peak memory of decoding {many} frames", second / (1 << 20), "MiB");
        yield return new($"peak memory of {many} frames / {few} frames", second / first, "", Most: 1.05);
    }

    /// <summary>Decodes frames of 128×128 in a process of its own.</summary>
    public static (double Peak, double Seconds) Decode(int frames) =>
        ChildProcess.Run(Child, frames.ToString(CultureInfo.InvariantCulture)) is [{ } peak, { } seconds] ? (peak, seconds) : default;

    public static IEnumerable<double> RunChild(string frames)
    {
        using IDisposable noGradients = no_grad();
        var config = new AutoencoderKLWanConfig { BaseDim = 16, DimMult = [1, 2, 2], TemperalDownsample = [true, true], NumResBlocks = 1 };
        using var vae = new VideoAutoencoder(config, new RepeatedParameters());
        int count = ((int.Parse(frames, CultureInfo.InvariantCulture) - 1) / config.TemporalStride) + 1;
        // One latent frame seen as many: the input itself, which a caller holds, is not what is measured.
        using Tensor frame = ones([1, config.ZDim, 1, 32, 32]);
        using Tensor latents = frame.expand(1, config.ZDim, count, 32, 32);
        // 128×128 pixels: 1,701 frames kept in memory would be 334 MB.
        double seconds = Median.Once(() =>
        {
            foreach (Tensor chunk in vae.DecodeChunks(latents))
                chunk.Dispose();
        });
        return [ChildProcess.PeakMemory, seconds];
    }
}
