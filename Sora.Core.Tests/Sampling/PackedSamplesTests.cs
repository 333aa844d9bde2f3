using Sora.Sampling;
using Sora.Tests.Engine;
using Xunit;

namespace Sora.Tests.Sampling;

public class PackedSamplesTests
{
    private static readonly long[][] Shapes = [[1, 3, 2, 4, 5], [1, 3, 1, 2, 2], [1, 3, 4, 1, 7]];

    [Fact]
    public void SplitUndoesJoin()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor[] samples = [.. Shapes.Select((shape, i) => RandomTensor.Create((ulong)i, shape))];
        var packed = new PackedSamples(samples);
        Tensor vector = packed.Join(samples);
        Assert.Equal([120 + 12 + 84], vector.shape);
        foreach ((Tensor one, Tensor split) in samples.Zip(packed.Split(vector)))
        {
            Assert.Equal(one.shape, split.shape);
            Assert.Equal(0, RandomTensor.Distance(one, split));
        }
        Assert.Throws<ArgumentException>(() => new PackedSamples([]));
        Assert.Throws<ArgumentException>(() => packed.Join(samples[..2]));
        Assert.Throws<ArgumentException>(() => packed.Join([samples[1], samples[0], samples[2]]));
    }

    public static TheoryData<string> All => TestSolvers.Deterministic;

    [Theory]
    [MemberData(nameof(All))]
    public void EverySolverTakesTheSameStepsTogetherAsAlone(string name)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor[] noise = [.. Shapes.Select((shape, i) => RandomTensor.Create((ulong)i, shape))];
        var packed = new PackedSamples(noise);
        // No two samples follow the same velocity.
        Tensor VelocityOf(int i, Tensor sample, SamplingStep step) => (sample * (0.3 + i)) + (step.Sigma * (i - 1.2));
        using ISolver together = TestSolvers.Create(name, 6);
        Tensor[] results = packed.Split(FlowSampler.Sample(
            packed.Around((samples, step) => [.. samples.Select((sample, i) => VelocityOf(i, sample, step))]), packed.Join(noise), together));
        for (int i = 0; i < noise.Length; i++)
        {
            using ISolver solver = TestSolvers.Create(name, 6);
            int own = i;
            Tensor alone = FlowSampler.Sample((sample, step) => VelocityOf(own, sample, step), noise[i], solver);
            Assert.Equal(0, RandomTensor.Distance(alone, results[i]));
        }
    }
}
