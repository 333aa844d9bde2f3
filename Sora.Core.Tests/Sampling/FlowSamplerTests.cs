using Sora.Sampling;
using Sora.Tests.Engine;
using Xunit;

namespace Sora.Tests.Sampling;

[Collection(LiveTensors.Name)]
public class FlowSamplerTests
{
    [Fact]
    public void NoTensorOutlivesItsStep()
    {
        using Tensor noise = RandomTensor.Create(1, 8);
        long before = LiveTensors.Count();
        using (var solver = new UniPCSolver(NoiseSchedule.UniPC(12, 3), 3))
        {
            var alive = new List<long>();
            using Tensor result = FlowSampler.Sample(
                (x, step) => x.sin() + (x * step.Sigma), noise, solver, _ => alive.Add(Tensor.TotalCount));
            Assert.Equal(12, alive.Count);
            Assert.Equal(alive[3], alive[^1]);
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

    [Fact]
    public void ALaterStartTakesTheLastSteps()
    {
        using DisposeScope scope = NewDisposeScope();
        using var solver = new UniPCSolver(NoiseSchedule.UniPC(10, 3));
        var seen = new List<int>();
        Tensor data = RandomTensor.Create(1, 8), noise = RandomTensor.Create(2, 8);
        float sigma = solver.Schedule.Sigmas[4];
        Tensor result = FlowSampler.Sample(
            (_, step) =>
            {
                seen.Add(step.Index);
                return noise - data;
            },
            (data * (1 - sigma)) + (noise * sigma), solver, start: 4);
        Assert.Equal([4, 5, 6, 7, 8, 9], seen);
        Assert.InRange(RandomTensor.Distance(data, result), 0, 3e-6f);
    }
}
