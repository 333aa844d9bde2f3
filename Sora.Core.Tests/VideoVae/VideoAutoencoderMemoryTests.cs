using Sora.Tests.Engine;
using Sora.VideoVae;
using Xunit;

namespace Sora.Tests.VideoVae;

[Collection(LiveTensors.Name)]
public class VideoAutoencoderMemoryTests
{
    [Theory]
    [InlineData("C_vae_wan21")]
    [InlineData("D_vae_wan22")]
    public void NothingIsLeftAndTheCacheDoesNotGrow(string name)
    {
        using IDisposable noGradients = no_grad();
        long before = LiveTensors.Count();
        using (DisposeScope scope = NewDisposeScope())
        using (VideoAutoencoder vae = TestAutoencoder.Load(name))
        {
            Tensor latents = TestAutoencoder.Latents(vae, 5);
            // The first use lays out the kernels' weights, which are kept.
            LatentMoments first = vae.Encode(TestAutoencoder.Video(5));
            first.Mean.Dispose();
            first.LogVariance.Dispose();
            vae.Decode(latents).Dispose();
            var alive = new List<long>();
            foreach (Tensor chunk in vae.DecodeChunks(latents))
            {
                chunk.Dispose();
                alive.Add(Tensor.TotalCount);
            }
            Assert.Equal(alive[2], alive[4]);
            long loaded = Tensor.TotalCount;
            LatentMoments moments = vae.Encode(TestAutoencoder.Video(5));
            moments.Mean.Dispose();
            moments.LogVariance.Dispose();
            vae.Decode(latents).Dispose();
            foreach (Tensor chunk in vae.DecodeChunks(latents).Take(2))
                chunk.Dispose();
            Assert.InRange(Tensor.TotalCount - loaded, 0, 2); // the test's own video
        }
        Assert.Equal(before, LiveTensors.Count());
    }
}
