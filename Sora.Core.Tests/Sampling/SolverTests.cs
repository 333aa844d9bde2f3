using Sora.Sampling;
using Sora.Tests.Engine;
using Sora.Weights;
using Xunit;

namespace Sora.Tests.Sampling;

public class SolverTests
{
    public static TheoryData<string> All => TestSolvers.All;

    public static TheoryData<string> Deterministic => TestSolvers.Deterministic;

    [Theory]
    [MemberData(nameof(Deterministic))]
    public void AConstantVelocityIsIntegratedExactly(string name)
    {
        foreach (int steps in (int[])[1, 2, 3, 5, 20])
        {
            using DisposeScope scope = NewDisposeScope();
            using ISolver solver = TestSolvers.Create(name, steps);
            Tensor noise = RandomTensor.Create(1, 2, 3, 4), data = RandomTensor.Create(2, 2, 3, 4);
            float start = solver.Schedule.Sigmas[0];
            Tensor sample = (data * (1 - start)) + (noise * start);
            Tensor result = FlowSampler.Sample((_, _) => noise - data, sample, solver);
            Assert.InRange(RandomTensor.Distance(data, result), 0, 5e-6f);
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public void EveryPathToOnePointEndsThereFromEveryStart(string name)
    {
        foreach ((int steps, int start) in ((int, int)[])[(1, 0), (2, 1), (10, 0), (10, 4), (10, 8), (10, 9), (20, 3)])
        {
            using DisposeScope scope = NewDisposeScope();
            Tensor data = RandomTensor.Create(1, 8), noise = RandomTensor.Create(2, 8);
            using ISolver solver = TestSolvers.Create(name, steps, 8);
            float sigma = solver.Schedule.Sigmas[start];
            var told = new List<int>();
            var seen = new List<int>();
            Tensor result = FlowSampler.Sample(
                (x, step) =>
                {
                    seen.Add(step.Index);
                    return (x - data) / step.Sigma;
                },
                (data * (1 - sigma)) + (noise * sigma), solver, told.Add, start);
            Assert.InRange(RandomTensor.Distance(data, result), 0, 1e-5f);
            Assert.Equal((start, steps - 1), (seen[0], seen[^1]));
            Assert.Equal(Enumerable.Range(1, solver.Evaluations(start)), told);
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public void AnotherSamplingForgetsTheOneBefore(string name)
    {
        using DisposeScope scope = NewDisposeScope();
        using ISolver solver = TestSolvers.Create(name, 6, 5);
        Tensor noise = RandomTensor.Create(1, 5);
        Tensor first = FlowSampler.Sample((x, step) => x.sin() * step.Sigma, noise, solver);
        FlowSampler.Sample((x, _) => x * 3, noise, solver);
        solver.Start();
        solver.Step((_, _) => noise, noise, 0);
        Assert.Equal(0, RandomTensor.Distance(first, FlowSampler.Sample((x, step) => x.sin() * step.Sigma, noise, solver)));
    }

    [Fact]
    public void EulerTakesTheStepOfItsFormula()
    {
        using DisposeScope scope = NewDisposeScope();
        using var solver = new EulerSolver(NoiseSchedule.FlowMatchEuler(3, 1));
        Tensor x = solver.Step((_, _) => full([1], 2f), full([1], 5f), 1);
        float width = solver.Schedule.Sigmas[2] - solver.Schedule.Sigmas[1];
        Assert.Equal(5 + (width * 2), x.item<float>(), 6);
    }

    [Fact]
    public void HeunTakesTheMeanOfBothSlopesAndEulersLastStep()
    {
        using DisposeScope scope = NewDisposeScope();
        using var solver = new HeunSolver(NoiseSchedule.FlowMatchEuler(2, 1));
        float first = solver.Schedule.Sigmas[0], second = solver.Schedule.Sigmas[1];
        Tensor Slope(Tensor x, SamplingStep step) => x * step.Sigma;
        Tensor x = solver.Step(Slope, full([1], 5f), 0);
        float width = second - first, slope = 5 * first, there = (5 + (width * slope)) * second;
        Assert.Equal(5 + (width * (slope + there) / 2), x.item<float>(), 5);
        Assert.Equal(5 - (second * 5 * second), solver.Step(Slope, full([1], 5f), 1).item<float>(), 5);
        Assert.Equal((3, 1, 0), (((ISolver)solver).Evaluations(), solver.Evaluations(1), solver.Evaluations(2)));
    }

    [Fact]
    public void LcmCoversItsPredictionWithTheStepsNoise()
    {
        using DisposeScope scope = NewDisposeScope();
        var asked = new List<int>();
        using var solver = new LcmSolver(NoiseSchedule.FromSigmas([1, 0.5], 1), index =>
        {
            asked.Add(index);
            return full([1], 8f);
        });
        Assert.Equal((0.5f * (5 - 2)) + (0.5f * 8), solver.Step((_, _) => full([1], 2f), full([1], 5f), 0).item<float>(), 6);
        Assert.Equal(5 - (0.5f * 2), solver.Step((_, _) => full([1], 2f), full([1], 5f), 1).item<float>(), 6);
        Assert.Equal([0], asked);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(4)]
    public void TheOrderIsOneToThree(int order)
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new UniPCSolver(NoiseSchedule.UniPC(2, 1), order));
        Assert.Throws<ArgumentOutOfRangeException>(() => new DpmSolver(NoiseSchedule.Dpm(2, 1), order));
        Assert.Throws<ArgumentOutOfRangeException>(() => new DpmSolver(NoiseSchedule.Dpm(2, 1), 3, noise: _ => ones([1])));
    }

    [Fact]
    public void TheConfigDecidesTheForm()
    {
        var config = new SchedulerConfig { ClassName = SchedulerConfig.UniPC, NumTrainTimesteps = 500, FinalSigmasType = "sigma_min" };
        using ISolver unipc = Solvers.Create(Sampler.UniPC, 4, 3, config);
        using ISolver dpm = Solvers.Create(Sampler.DpmPlusPlus2M, 4, 3, config);
        using ISolver euler = Solvers.Create(Sampler.Euler, 4, 3, config);
        Assert.IsType<UniPCSolver>(unipc);
        Assert.IsType<DpmSolver>(dpm);
        Assert.IsType<EulerSolver>(euler);
        Assert.Equal((499, 499, 500), (unipc.Schedule.Times[0], dpm.Schedule.Times[0], euler.Schedule.Times[0]));
        using DisposeScope scope = NewDisposeScope();
        foreach (ISolver solver in (ISolver[])[unipc, dpm])
        {
            Assert.Equal(solver.Schedule.Sigmas[3], solver.Schedule.Sigmas[4]);
            Assert.True(FlowSampler.Sample((x, _) => x.sin(), RandomTensor.Create(1, 4), solver).isfinite().all().item<bool>());
        }
    }

    [Fact]
    public void EverySamplerHasItsSolverAndLcmNeedsNoise()
    {
        var config = new SchedulerConfig { ClassName = SchedulerConfig.Euler };
        foreach (Sampler sampler in Enum.GetValues<Sampler>())
        {
            using ISolver solver = Solvers.Create(sampler, 7, 2, config, noise: _ => ones([1]));
            Assert.Equal(7, solver.Schedule.Steps);
            Assert.Equal(sampler == Sampler.Heun ? 13 : 7, solver.Evaluations());
        }
        Assert.Throws<ArgumentNullException>(() => Solvers.Create(Sampler.Lcm, 7, 2, config));
    }
}
