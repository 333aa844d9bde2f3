using Sora.Conditioning;
using Sora.Patches;
using Sora.Sampling;
using Sora.Tests.Engine;
using Sora.Transformer;
using Xunit;

namespace Sora.Tests.Transformer;

/// <summary>Videos of different sizes, texts and guidance in one packed batch.</summary>
[Collection(LiveTensors.Name)]
public sealed class PackedGuidanceTests : IDisposable
{
    // The rounding of sums that run in another order, of velocities of about 1.
    private const float Rounding = 2e-5f;

    private static readonly Guidance[] Guidances =
        [new(5), new(1), new(3, new SigmaInterval(0.3f, 0.6f)), new(7, new SigmaInterval(0.2f, 0.9f), 0.5), new(4)];

    private readonly DiffusionTransformer _network = TestTransformer.Load();
    private readonly TimeConditioning _known = new(new KnownLatents(RandomTensor.Create(30, 1, TestTransformer.Config.InChannels, 3, 4, 4), [true, false, false]));

    public void Dispose()
    {
        _known.Dispose();
        _network.Dispose();
    }

    [Fact]
    public void EachVideosVelocityIsTheOneThatItHasAlone()
    {
        using DisposeScope scope = NewDisposeScope();
        (GuidedVideo[] videos, Tensor[] samples) = Videos();
        using var together = new GuidedVelocity(_network, videos, CPU);
        // Everything guided, some, none, and back.
        float[] sigmas = [0.5f, 0.7f, 0.95f, 0.25f, 0.1f, 0.5f];
        foreach (float sigma in sigmas)
        {
            var step = new SamplingStep(3, sigma, sigma * 1000);
            IReadOnlyList<Tensor> packed = together.Predict(samples, step);
            for (int i = 0; i < videos.Length; i++)
            {
                using var alone = new GuidedVelocity(_network, [videos[i]], CPU);
                Tensor own = alone.Predict(samples[i], step);
                Assert.Equal(own.shape, packed[i].shape);
                Assert.InRange(RandomTensor.Distance(own, packed[i]), 0, Rounding);
                Assert.True(RandomTensor.Distance(own, own * 0) > 0.05f, "A velocity of zeros proves nothing.");
            }
        }
    }

    [Fact]
    public void WhatAnotherVideoShowsChangesNothing()
    {
        using DisposeScope scope = NewDisposeScope();
        (GuidedVideo[] videos, Tensor[] samples) = Videos();
        var step = new SamplingStep(0, 0.5f, 500);
        using var together = new GuidedVelocity(_network, videos, CPU);
        IReadOnlyList<Tensor> before = together.Predict(samples, step);
        samples[0] = RandomTensor.Create(99, samples[0].shape);
        IReadOnlyList<Tensor> after = together.Predict(samples, step);
        Assert.True(RandomTensor.Distance(before[0], after[0]) > 1e-2);
        for (int i = 1; i < videos.Length; i++)
            Assert.Equal(0, RandomTensor.Distance(before[i], after[i]));
    }

    [Fact]
    public void DisposingItFreesWhatWasPrepared()
    {
        long before = LiveTensors.Count();
        using (DisposeScope scope = NewDisposeScope())
        {
            (GuidedVideo[] videos, Tensor[] samples) = Videos();
            using var velocity = new GuidedVelocity(_network, videos, CPU);
            foreach (float sigma in (float[])[0.5f, 0.1f, 0.5f, 0.95f])
                velocity.Predict(samples, new(0, sigma, sigma * 1000));
            Assert.Throws<ArgumentException>(() => velocity.Predict(samples[..2], new(0, 0.5f, 500)));
        }
        Assert.Equal(before, LiveTensors.Count());
    }

    private (GuidedVideo[] Videos, Tensor[] Samples) Videos()
    {
        long channels = _network.Config.InChannels;
        long[][] shapes = [[1, channels, 2, 4, 6], [1, channels, 1, 8, 2], [1, channels, 3, 4, 4], [1, channels, 2, 4, 6], [1, channels, 4, 2, 4]];
        Tensor[] samples = [.. shapes.Select((shape, i) => RandomTensor.Create((ulong)i, shape))];
        GuidedVideo[] videos =
        [
            .. samples.Select((sample, i) => new GuidedVideo(
                Guidances[i],
                RandomTensor.Create(10 + (ulong)i, 1, 7, _network.Config.TextDim),
                RandomTensor.Create(20 + (ulong)i, 1, 7, _network.Config.TextDim),
                Patchify.GridOf(sample, _network.Config.PatchSize),
                i == 2 ? _known : new NoConditioning(),
                i == 4 ? new CircularTime() : new StraightTime())),
        ];
        return (videos, samples);
    }
}
