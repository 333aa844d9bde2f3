using Sora.Latents;
using Sora.Sampling;
using Sora.Tests.Engine;
using Sora.Training.FineTuning;
using Xunit;

namespace Sora.Tests.Training.FineTuning;

public sealed class TuningMapTests
{
    private static readonly SamplePrediction s_prediction = new(FlowPrediction.Velocity, new(2, 8));

    // Of frames that are known only the pixels are, as in the training from random weights.
    [Fact]
    public void KnownFramesHaveNoMap()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor data = RandomTensor.Create(1, 1, 5, 3, 2, 2);
        TuningExample example = TuningExample.Create(data, "", [0, 0.5f, 0.9f], new GaussianNoise(1, "x"), CPU, map: 2), plain = TuningExample.Create(data, "", [0, 0.5f, 0.9f], new GaussianNoise(1, "x"), CPU);
        Assert.Equal(0, example.Noisy.narrow(1, 3, 2).narrow(2, 0, 1).abs().max().item<float>());
        Assert.Equal(0, RandomTensor.Distance(plain.Noisy.narrow(1, 0, 3), example.Noisy.narrow(1, 0, 3)));
        Assert.Equal(0, RandomTensor.Distance(plain.Noisy.narrow(2, 1, 2), example.Noisy.narrow(2, 1, 2)));
    }

    // An output that is off by 1 counts 1 in every channel, how large and how noisy the map may be.
    [Theory]
    [InlineData(1f)]
    [InlineData(0.5f)]
    public void ALargerMapCountsAsMuch(float sigma)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor plain = RandomTensor.Create(1, 1, 5, 1, 8, 8), data = cat([plain.narrow(1, 0, 3), plain.narrow(1, 3, 2) * 8], 1);
        TuningExample example = TuningExample.Create(data, "", [sigma], new GaussianNoise(1, "x"), CPU);

        // Of a velocity v of data of deviation g the network says (n·v + (g − 1)·x)/g, n = σ + g·(1 − σ).
        Tensor velocity = example.Noise - data;
        Tensor exact = cat([velocity.narrow(1, 0, 3), ((velocity.narrow(1, 3, 2) * (sigma + (8 * (1 - sigma)))) + (example.Noisy.narrow(1, 3, 2) * 7)) / 8], 1);
        Assert.InRange(example.SquaredError(s_prediction, exact).item<float>(), 0, 1e-4);
        Assert.Equal(example.Learned, example.SquaredError(s_prediction, exact + 1).item<float>(), 0.05);
    }

    [Fact]
    public void NearNoiseTheNetworkIsGivenTheSample()
    {
        using DisposeScope scope = NewDisposeScope();
        TuningExample example = TuningExample.Create(RandomTensor.Create(1, 1, 5, 1, 8, 8), "", [1], new GaussianNoise(1, "x"), CPU);
        Assert.Equal(0, RandomTensor.Distance(example.Noisy, example.Input(s_prediction)));
    }
}
