using Sora.Bench;
using Sora.Sampling;
using Sora.Tests.Engine;
using Sora.Tests.Generation;
using Sora.VideoVae;
using Sora.Weights;
using Xunit;

namespace Sora.Tests.VideoVae;

/// <summary>Decoding and encoding in tiles beside the whole picture at once.</summary>
[Collection(LiveTensors.Name)]
public class TiledVideoTests
{
    // The order of sums differs, nothing else.
    private const float Rounding = 1e-4f;

    [Theory]
    [InlineData("C_vae_wan21")]
    [InlineData("D_vae_wan22")]
    [InlineData(TestAutoencoder.LinearCode)]
    public void TilesGiveTheWholePicture(string name)
    {
        using IDisposable noGradients = no_grad();
        using DisposeScope scope = NewDisposeScope();
        using VideoAutoencoder vae = TestAutoencoder.Load(name);
        AutoencoderKLWanConfig config = vae.Config;
        var tiles = SpatialTiles.Of(config, 21, 34, SpatialTiles.LeastSide(config));
        Assert.True(tiles.Rows.Count > 1 && tiles.Columns.Count > 2);

        Tensor latents = RandomTensor.Create(1, 1, config.ZDim, 2, 21, 34);
        Tensor whole = Decode(vae, latents, null);
        Assert.InRange(RandomTensor.Distance(whole, Decode(vae, latents, tiles)), 0, Rounding);
        Tensor video = RandomTensor.Create(2, 1, 3, 5, 21 * config.SpatialStride, 34 * config.SpatialStride).clamp(-1, 1);
        Tensor moments = Encode(vae, video, null);
        Assert.InRange(RandomTensor.Distance(moments, Encode(vae, video, tiles)), 0, Rounding * moments.abs().max().item<float>());
    }

    [Fact]
    public void ATileThatReachesLessFarShows()
    {
        using IDisposable noGradients = no_grad();
        using DisposeScope scope = NewDisposeScope();
        using VideoAutoencoder vae = TestAutoencoder.Load("C_vae_wan21");
        Tensor latents = RandomTensor.Create(1, 1, vae.Config.ZDim, 1, 4, 30);
        // The tiles of an autoencoder with one level, which reach one latent far.
        var tiles = SpatialTiles.Of(vae.Config with { DimMult = [1], TemperalDownsample = [] }, 4, 30, 8);
        Assert.True(RandomTensor.Distance(Decode(vae, latents, null), Decode(vae, latents, tiles)) > 10 * Rounding);
        // So it shows where tiles are asked for and not taken.
        foreach (IVideoTime time in (IVideoTime[])[new StraightTime(), new CircularTime()])
            Assert.True(RandomTensor.Distance(cat([.. time.DecodeChunks(vae, latents)], 2), cat([.. time.DecodeChunks(vae, latents, tiles)], 2)) > 10 * Rounding);
    }

    [Fact]
    public void ThePocketsAutoencoderShowsNoSeam()
    {
        using IDisposable noGradients = no_grad();
        using DisposeScope scope = NewDisposeScope();
        var folder = ModelFolder.Open(PocketModel.Folder);
        using var vae = new VideoAutoencoder(folder.Vae, new CheckpointParameters(folder.VaePath, float32, CPU));
        var tiles = SpatialTiles.Of(folder.Vae, 16, 24, SpatialTiles.LeastSide(folder.Vae));
        Assert.Equal(2, tiles.Count);
        Tensor video = DrawnPicture.Create(5, 128, 192);
        Tensor moments = Encode(vae, video, null), latents = moments.narrow(1, 0, folder.Vae.ZDim);
        Assert.InRange(RandomTensor.Distance(moments, Encode(vae, video, tiles)), 0, 1e-3f);
        // A tenth of a step of 8 bits.
        Assert.InRange(RandomTensor.Distance(Decode(vae, latents, null), Decode(vae, latents, tiles)), 0, 0.1f * 2 / 255);
    }

    [Theory]
    [InlineData("D_vae_wan22")]
    [InlineData(TestAutoencoder.LinearCode)]
    public void TilesLeaveNothingBehind(string name)
    {
        using IDisposable noGradients = no_grad();
        using VideoAutoencoder vae = TestAutoencoder.Load(name);
        var tiles = SpatialTiles.Of(vae.Config, 4, 20, SpatialTiles.LeastSide(vae.Config));
        using Tensor latents = RandomTensor.Create(1, 1, vae.Config.ZDim, 3, 4, 20), video = RandomTensor.Create(2, 1, 3, 5, 64, 320);
        Decode(vae, latents, tiles).Dispose();
        Encode(vae, video, tiles).Dispose();
        long before = LiveTensors.Count();
        Decode(vae, latents, tiles).Dispose();
        Encode(vae, video, tiles).Dispose();
        foreach (Tensor chunk in vae.DecodeChunks(latents, tiles).Take(2))
            chunk.Dispose();
        Assert.Equal(before, Tensor.TotalCount);
    }

    private static Tensor Decode(VideoAutoencoder vae, Tensor latents, SpatialTiles? tiles)
    {
        using DisposeScope scope = NewDisposeScope();
        return scope.MoveToOuter(cat([.. vae.DecodeChunks(latents, tiles)], 2));
    }

    private static Tensor Encode(VideoAutoencoder vae, Tensor video, SpatialTiles? tiles)
    {
        using DisposeScope scope = NewDisposeScope();
        int stride = vae.Config.SpatialStride, step = vae.Config.TemporalStride;
        using var tiled = new TiledVideo(tiles ?? SpatialTiles.Whole(video.size(3) / stride, video.size(4) / stride));
        var parts = new List<Tensor> { tiled.EncodeChunk(vae, video.narrow(2, 0, 1)) };
        for (long start = 1; start < video.size(2); start += step)
            parts.Add(tiled.EncodeChunk(vae, video.narrow(2, start, step)));
        return scope.MoveToOuter(cat(parts, 2));
    }
}
