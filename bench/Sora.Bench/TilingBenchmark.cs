using Sora.VideoVae;
using Sora.Weights;

namespace Sora.Bench;

/// <summary>
/// Decoding in overlapping tiles beside the whole picture at once: the time with a VAE of Wan 2.1's size, two tiles side by
/// side, and the difference with the pocket's trained one.
/// </summary>
internal static class TilingBenchmark
{
    public static IEnumerable<Measurement> Run(bool quick) => [.. Difference(quick), .. Time(quick)];

    private static IEnumerable<Measurement> Difference(bool quick)
    {
        const string Name = "greatest jump of the error from pixel to pixel, in tiles, of the 8-bit range";
        if (Repository.PocketModel is not { } model)
            return [Measurement.Missing(Name, "", "models/pocket is missing")];
        using IDisposable noGradients = no_grad();
        using DisposeScope scope = NewDisposeScope();
        var folder = ModelFolder.Open(model);
        using var vae = new VideoAutoencoder(folder.Vae, new CheckpointParameters(folder.VaePath, float32, CPU));
        (int height, int width) = quick ? (128, 192) : (256, 320);
        Tensor latents = vae.Encode(DrawnPicture.Create(quick ? 1 : 9, height, width)).Mean;
        var tiles = SpatialTiles.Of(folder.Vae, height / folder.Vae.SpatialStride, width / folder.Vae.SpatialStride, SpatialTiles.LeastSide(folder.Vae));
        Tensor error = (Decode(vae, latents, tiles) - Decode(vae, latents, null)) * 127.5;
        long h = error.size(3), w = error.size(4);
        float down = (error.narrow(3, 1, h - 1) - error.narrow(3, 0, h - 1)).abs().max().item<float>();
        float across = (error.narrow(4, 1, w - 1) - error.narrow(4, 0, w - 1)).abs().max().item<float>();
        return
        [
            new(Name, Math.Max(down, across) / 255, "", Most: 1.0 / 255, Exact: true),
            new($"greatest difference of decoding in {tiles.Count} tiles, of the 8-bit range", error.abs().max().item<float>() / 255, "", Most: 1.0 / 255, Exact: true),
        ];
    }

    private static IEnumerable<Measurement> Time(bool quick)
    {
        using IDisposable noGradients = no_grad();
        using DisposeScope scope = NewDisposeScope();
        var config = new AutoencoderKLWanConfig { BaseDim = quick ? 8 : 96 };
        (int h, int w) = quick ? (4, 32) : (24, 96);
        using var vae = new VideoAutoencoder(config, new RepeatedParameters());
        Tensor latents = BenchDevice.Random([1, config.ZDim, 2, h, w], "latents");
        var tiles = SpatialTiles.Of(config, h, w, Math.Max(SpatialTiles.LeastSide(config), (w / 2) + SpatialTiles.Reach(config)));
        // Operations of 1 each: the share is that of the times.
        Share share = Median.ShareOf((() => Run(vae, latents, null), 1), (() => Run(vae, latents, tiles), 1), quick ? 1 : 3);
        yield return new($"time of decoding {h * config.SpatialStride}x{w * config.SpatialStride} in {tiles.Count} tiles / at once", share.Value, "", Most: 1.15);
    }

    private static void Run(VideoAutoencoder vae, Tensor latents, SpatialTiles? tiles)
    {
        foreach (Tensor chunk in vae.DecodeChunks(latents, tiles))
            chunk.Dispose();
    }

    private static Tensor Decode(VideoAutoencoder vae, Tensor latents, SpatialTiles? tiles)
    {
        using DisposeScope scope = NewDisposeScope();
        return scope.MoveToOuter(cat([.. vae.DecodeChunks(latents, tiles)], 2));
    }
}
