using Sora.Layers;
using Sora.Patches;
using Sora.Tests.Engine;
using Xunit;

namespace Sora.Tests.Patches;

public class RotaryPositionsTests
{
    [Fact]
    public void EveryClipStartsAtPositionZero()
    {
        using DisposeScope scope = NewDisposeScope();
        using var both = RotaryPositions.Create(new([new(1, 2, 2), new(2, 1, 3)]), 20, CPU);
        using var second = RotaryPositions.Create(new([new(2, 1, 3)]), 20, CPU);
        Assert.Equal(0, RandomTensor.Distance(both.Cos.narrow(0, 4, 6), second.Cos));
        Assert.Equal(0, RandomTensor.Distance(both.Sin.narrow(0, 4, 6), second.Sin));
        Assert.Equal(1, both.Cos.select(0, 0).min().item<float>());
    }

    [Fact]
    public void ChannelsAreSplitAsPublished()
    {
        // 128 channels: 44 for time, 42 for each of height and width, in pairs.
        using DisposeScope scope = NewDisposeScope();
        using var positions = RotaryPositions.Create(new([new(2, 2, 2)]), 128, CPU);
        float[] time = positions.Sin.select(0, 4).data<float>().ToArray();      // (1, 0, 0)
        float[] height = positions.Sin.select(0, 2).data<float>().ToArray();    // (0, 1, 0)
        float[] width = positions.Sin.select(0, 1).data<float>().ToArray();     // (0, 0, 1)
        Assert.All(Enumerable.Range(0, 64), i => Assert.Equal((i < 22, i is >= 22 and < 43, i >= 43), (time[i] != 0, height[i] != 0, width[i] != 0)));
        Assert.Equal(Math.Sin(1), time[0], 6);
        Assert.Equal(Math.Sin(Math.Pow(10000, -2.0 / 42)), width[44], 6);
    }

    [Fact]
    public void ScoresDependOnDistancesAlone()
    {
        using DisposeScope scope = NewDisposeScope();
        var parameters = new ParameterScope(new FreshParameters(1, float32));
        var norm = new RmsNorm(parameters, 20, 1e-6);
        using var positions = RotaryPositions.Create(new([new(5, 1, 1)]), 20, CPU);
        Tensor Turned(ulong seed) => FusedKernels.RmsNormRotary(RandomTensor.Create(seed, 1, 20).expand(5, 20).contiguous(), norm, positions, 1);
        Tensor scores = Turned(1).matmul(Turned(2).transpose(0, 1));
        Assert.InRange(RandomTensor.Distance(scores.narrow(0, 0, 3).narrow(1, 1, 3), scores.narrow(0, 1, 3).narrow(1, 2, 3)), 0, 1e-4f);
        Assert.True(RandomTensor.Distance(scores.narrow(0, 0, 3), scores.narrow(0, 1, 3)) > 0.1);
    }
}
