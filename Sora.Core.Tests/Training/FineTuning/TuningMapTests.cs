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

    // The velocity of a map that is g times as large is g times as large near noise: its square counts 1/g².
    [Fact]
    public void ALargerMapCountsAsMuch()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor plain = RandomTensor.Create(1, 1, 5, 1, 8, 8), data = cat([plain.narrow(1, 0, 3), plain.narrow(1, 3, 2) * 8], 1);
        TuningExample example = TuningExample.Create(data, "", [1], new GaussianNoise(1, "x"), CPU);

        // At pure noise n is 1: an output that is off by 1 is a velocity that is off by 1, or by 8.
        Tensor exact = cat([(example.Noise - data).narrow(1, 0, 3), ((example.Noise - data).narrow(1, 3, 2) + (example.Noisy.narrow(1, 3, 2) * 7)) / 8], 1);
        Assert.InRange(example.SquaredError(s_prediction, exact).item<float>(), 0, 1e-4);
        Assert.Equal(example.Learned, example.SquaredError(s_prediction, exact + 1).item<float>(), 0.05);
        Assert.Equal(0, RandomTensor.Distance(example.Noisy, example.Input(s_prediction)));
    }
}
