using Sora.Sampling;
using Sora.Tests.Engine;
using Xunit;

namespace Sora.Tests.Sampling;

[Collection(LiveTensors.Name)]
public class FlowSamplerTests
{
    public static TheoryData<string> Solvers => TestSolvers.All;

    [Theory]
    [MemberData(nameof(Solvers))]
    public void NoTensorOutlivesItsStep(string name)
    {
        using Tensor noise = RandomTensor.Create(1, 8);
        long before = LiveTensors.Count();
        using (ISolver solver = TestSolvers.Create(name, 12, 8))
        {
            var alive = new List<long>();
            using Tensor result = FlowSampler.Sample(
                (x, step) => x.sin() + (x * step.Sigma), noise, solver, _ => alive.Add(Tensor.TotalCount));
            Assert.Equal(solver.Evaluations(), alive.Count);
            // An even number of evaluations apart: Heun holds more in its second than in its first.
            Assert.Equal(alive[^7], alive[^1]);
            Assert.Equal(before + 1, Tensor.TotalCount);
        }
        Assert.Equal(before, Tensor.TotalCount);
    }

    [Fact]
    public void CancellationIsHonouredWithinAStepAndFreesEverything()
    {
        using Tensor noise = RandomTensor.Create(1, 8);
        long before = LiveTensors.Count();
        using var source = new CancellationTokenSource();
        using var solver = new UniPCSolver(NoiseSchedule.UniPC(12, 3));
        int steps = 0;
        Assert.Throws<OperationCanceledException>(() => FlowSampler.Sample(
            (x, _) =>
            {
                if (++steps == 4)
                    source.Cancel();
                return x.sin();
            },
            noise, solver, cancellationToken: source.Token));
        Assert.Equal(4, steps);
        Assert.Equal(before, Tensor.TotalCount);
    }

    [Fact]
    public void AnEvaluationFreesWhatItMadeBeforeTheNext()
    {
        using Tensor noise = RandomTensor.Create(1, 8);
        using var solver = new HeunSolver(NoiseSchedule.FlowMatchEuler(3, 3));
        var alive = new List<long>();
        using Tensor result = FlowSampler.Sample(
            (x, _) =>
            {
                alive.Add(Tensor.TotalCount);
                for (int i = 0; i < 100; i++)
                    x = x.sin();
                return x;
            },
            noise, solver);
        Assert.Equal(5, alive.Count);
        Assert.All(alive, count => Assert.InRange(count - alive[0], 0, 10));
    }

    [Fact]
    public void AFailureInTheNetworkFreesEverything()
    {
        using Tensor noise = RandomTensor.Create(1, 8);
        long before = LiveTensors.Count();
        using var solver = new UniPCSolver(NoiseSchedule.UniPC(5, 3));
        Assert.Throws<InvalidDataException>(() => FlowSampler.Sample(
            (x, step) => step.Index < 3 ? x.sin() : throw new InvalidDataException(), noise, solver));
        Assert.Equal(before, Tensor.TotalCount);
    }

    [Fact]
    public void TheNoiseStaysAndEveryStepIsTold()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor noise = RandomTensor.Create(1, 8), copy = noise.clone();
        using var solver = new EulerSolver(NoiseSchedule.FlowMatchEuler(3, 1));
        var told = new List<int>();
        var seen = new List<SamplingStep>();
        FlowSampler.Sample(
            (x, step) =>
            {
                seen.Add(step);
                Assert.False(is_grad_enabled());
                return x;
            },
            noise, solver, told.Add);
        Assert.Equal(0, RandomTensor.Distance(noise, copy));
        Assert.Equal([1, 2, 3], told);
        Assert.Equal([0, 1, 2], seen.Select(s => s.Index));
        Assert.Equal(solver.Schedule.Times, seen.Select(s => s.Time));
        Assert.Equal(solver.Schedule.Sigmas.Take(3), seen.Select(s => s.Sigma));
    }
}
