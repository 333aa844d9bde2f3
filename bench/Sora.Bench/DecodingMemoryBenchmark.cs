using System.Diagnostics;
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
    /// <summary>The argument with which this program decodes so many frames and prints its own peak in bytes.</summary>
    public const string ChildArgument = "--peak-of-decoding";

    public static IEnumerable<Measurement> Run(bool quick)
    {
        (int few, int many) = quick ? (5, 17) : (17, 1701);
        double first = Peak(few), second = Peak(many);
        yield return new($"peak memory of decoding {few} frames", first / (1 << 20), "MiB");
        yield return new($"peak memory of decoding {many} frames", second / (1 << 20), "MiB");
        yield return new($"peak memory of {many} frames / {few} frames", second / first, "", Most: 1.05);
    }

    public static void RunChild(string frames)
    {
        using IDisposable noGradients = no_grad();
        var config = new AutoencoderKLWanConfig { BaseDim = 16, DimMult = [1, 2, 2], TemperalDownsample = [true, true], NumResBlocks = 1 };
        using var vae = new VideoAutoencoder(config, new RepeatedParameters());
        int count = ((int.Parse(frames, CultureInfo.InvariantCulture) - 1) / config.TemporalStride) + 1;
        // One latent frame seen as many: the input itself, which a caller holds, is not what is measured.
        using Tensor frame = ones([1, config.ZDim, 1, 32, 32]);
        using Tensor latents = frame.expand(1, config.ZDim, count, 32, 32);
        // 128×128 pixels: 1,701 frames kept in memory would be 334 MB.
        foreach (Tensor chunk in vae.DecodeChunks(latents))
            chunk.Dispose();
        using var self = Process.GetCurrentProcess();
        Console.WriteLine(self.PeakWorkingSet64.ToString(CultureInfo.InvariantCulture));
    }

    private static double Peak(int frames)
    {
        string[] arguments = [typeof(DecodingMemoryBenchmark).Assembly.Location, ChildArgument, frames.ToString(CultureInfo.InvariantCulture)];
        using Process process = Process.Start(new ProcessStartInfo("dotnet", arguments) { RedirectStandardOutput = true })!;
        string text = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0
            ? double.Parse(text, CultureInfo.InvariantCulture)
            : throw new InvalidOperationException($"Decoding {frames} frames ended with {process.ExitCode}.");
    }
}
