using Sora.Tests.Engine;
using Sora.VideoVae;
using Xunit;

namespace Sora.Tests.VideoVae;

/// <summary>No frame sees the future, and how a video is cut into chunks changes nothing.</summary>
public class CausalityTests
{
    private const float Rounding = 2e-5f;

    [Theory]
    [InlineData("C_vae_wan21")]
    [InlineData("D_vae_wan22")]
    [InlineData(TestAutoencoder.LinearCode)]
    public void EncodingAPrefixAloneEqualsThePrefixOfEncodingAll(string name)
    {
        using IDisposable noGradients = no_grad();
        using DisposeScope scope = NewDisposeScope();
        using VideoAutoencoder vae = TestAutoencoder.Load(name);
        Tensor video = TestAutoencoder.Video(13);
        LatentMoments all = vae.Encode(video);
        Assert.Equal(4, all.Mean.size(2));
        for (long latents = 1; latents < 4; latents++)
        {
            LatentMoments prefix = vae.Encode(video.narrow(2, 0, (4 * latents) - 3));
            Assert.Equal(latents, prefix.Mean.size(2));
            Assert.InRange(RandomTensor.Distance(all.Mean.narrow(2, 0, latents), prefix.Mean), 0, Rounding);
            Assert.InRange(RandomTensor.Distance(all.LogVariance.narrow(2, 0, latents), prefix.LogVariance), 0, Rounding);
        }
        // The last frame matters to the last latent frame, or the test would show nothing.
        Tensor other = cat([video.narrow(2, 0, 12), -video.narrow(2, 12, 1)], 2);
        Tensor changed = vae.Encode(other).Mean;
        Assert.InRange(RandomTensor.Distance(all.Mean.narrow(2, 0, 3), changed.narrow(2, 0, 3)), 0, Rounding);
        Assert.True(RandomTensor.Distance(all.Mean, changed) > 0.01);
    }

    [Theory]
    [InlineData("C_vae_wan21")]
    [InlineData("D_vae_wan22")]
    [InlineData(TestAutoencoder.LinearCode)]
    public void AWholeClipInOnePassEqualsChunks(string name)
    {
        using IDisposable noGradients = no_grad();
        using DisposeScope scope = NewDisposeScope();
        using VideoAutoencoder vae = TestAutoencoder.Load(name);
        Tensor video = TestAutoencoder.Video(9);
        Tensor chunks = vae.Encode(video).Mean;
        using var whole = new CausalCache();
        LatentMoments moments = LatentMoments.Split(vae.EncodeChunk(video, whole));
        Assert.InRange(RandomTensor.Distance(chunks, moments.Mean), 0, Rounding);

        using var two = new CausalCache();
        Tensor first = vae.EncodeChunk(video.narrow(2, 0, 5), two), second = vae.EncodeChunk(video.narrow(2, 5, 4), two);
        Assert.InRange(RandomTensor.Distance(chunks, LatentMoments.Split(cat([first, second], 2)).Mean), 0, Rounding);
    }

    [Theory]
    [InlineData("C_vae_wan21")]
    [InlineData("D_vae_wan22")]
    [InlineData(TestAutoencoder.LinearCode)]
    public void DecodingInChunksEqualsOnePass(string name)
    {
        using IDisposable noGradients = no_grad();
        using DisposeScope scope = NewDisposeScope();
        using VideoAutoencoder vae = TestAutoencoder.Load(name);
        Tensor latents = TestAutoencoder.Latents(vae, 4);
        Tensor frames = vae.Decode(latents);
        Assert.Equal(13, frames.size(2));
        Assert.Equal([1, 4, 4, 4], vae.DecodeChunks(latents).Select(c => c.size(2)));

        foreach (long[] cut in (long[][])[[4], [1, 3], [2, 2], [3, 1]])
        {
            using var cache = new CausalCache();
            Tensor joined = cat([.. latents.split(cut, 2).Select(part => vae.DecodeChunk(part, cache))], 2);
            Assert.Equal(frames.shape, joined.shape);
            Assert.InRange(RandomTensor.Distance(frames, joined), 0, 5 * Rounding);
        }
    }

    [Theory]
    [InlineData("C_vae_wan21")]
    [InlineData("D_vae_wan22")]
    [InlineData(TestAutoencoder.LinearCode)]
    public void FramesThatFillNoChunkAreLeftOut(string name)
    {
        using IDisposable noGradients = no_grad();
        using DisposeScope scope = NewDisposeScope();
        using VideoAutoencoder vae = TestAutoencoder.Load(name);
        Tensor video = TestAutoencoder.Video(8);
        Assert.Equal(0, RandomTensor.Distance(vae.Encode(video).Mean, vae.Encode(video.narrow(2, 0, 5)).Mean));
    }

    [Fact]
    public void AVideoOfAnotherShapeIsRefused()
    {
        using DisposeScope scope = NewDisposeScope();
        using VideoAutoencoder vae = TestAutoencoder.Load("C_vae_wan21");
        Assert.Throws<ArgumentException>(() => vae.Encode(zeros([1, 4, 1, 32, 32])));
        Assert.Throws<ArgumentException>(() => vae.Decode(zeros([1, 3, 1, 4, 4])));
    }
}
