using Xunit;
using Sora.Sampling;

namespace Sora.Tests.Sampling;

public sealed class FlowPredictionTests
{
    private static readonly long[] s_one = [1, 1, 1, 1, 1];

    [Theory]
    [InlineData(1f)]
    [InlineData(0.8f)]
    [InlineData(0.5f)]
    [InlineData(0.05f)]
    public void TheExactOutputGivesTheVelocity(float sigma)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor data = tensor([0.5f, -1.25f, 2f, 0f], [1, 1, 1, 2, 2]), noise = tensor([1f, 0.25f, -0.5f, -2f], [1, 1, 1, 2, 2]);
        Tensor sample = (data * (1 - sigma)) + (noise * sigma);
        // The direction at right angles to the sample's: what the sample does not tell.
        Tensor output = ((data * sigma) - (noise * (1 - sigma))) / MathF.Sqrt(((1 - sigma) * (1 - sigma)) + (sigma * sigma));

        float[] velocity = (noise - data).data<float>().ToArray(), predicted = FlowPrediction.Preconditioned.Velocity(sample, output, [sigma], s_one).data<float>().ToArray();
        Assert.All(predicted.Zip(velocity), pair => Assert.Equal(pair.Second, pair.First, 5));
    }

    [Fact]
    public void NearNoiseTheOutputIsTheData()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor noise = tensor([3f, -4f], [1, 1, 1, 1, 2]), data = tensor([1f, 2f], [1, 1, 1, 1, 2]);

        Assert.Equal([2f, -6f], FlowPrediction.Preconditioned.Velocity(noise, data, [1f], s_one).data<float>().ToArray());
    }

    [Fact]
    public void AVelocityStaysAsItIs()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor velocity = tensor([1f, 2f], [1, 1, 1, 1, 2]);

        Assert.Same(velocity, FlowPrediction.Velocity.Velocity(velocity, velocity, [0.3f], s_one));
    }
}
