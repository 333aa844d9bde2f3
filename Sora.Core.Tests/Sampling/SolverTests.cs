using Sora.Sampling;
using Sora.Tests.Engine;
using Sora.Weights;
using Xunit;

namespace Sora.Tests.Sampling;

public class SolverTests
{
    [Theory]
    [InlineData("euler")]
    [InlineData("unipc 1")]
    [InlineData("unipc 2")]
    [InlineData("unipc 3")]
    [InlineData("unipc bh1")]
    [InlineData("unipc legacy")]
    [InlineData("unipc from pure noise")]
    [InlineData("unipc full order")]
    public void AConstantVelocityIsIntegratedExactly(string name)
    {
        foreach (int steps in (int[])[1, 2, 3, 5, 20])
        {
            using DisposeScope scope = NewDisposeScope();
            using ISolver solver = Create(name, steps);
            Tensor noise = RandomTensor.Create(1, 2, 3, 4), data = RandomTensor.Create(2, 2, 3, 4);
            float start = solver.Schedule.Sigmas[0];
            Tensor sample = (data * (1 - start)) + (noise * start);
            Tensor result = FlowSampler.Sample((_, _) => noise - data, sample, solver);
            Assert.InRange(RandomTensor.Distance(data, result), 0, 5e-6f);
        }
    }

    [Theory]
    [InlineData("unipc 2", 4)]
    [InlineData("unipc 3", 4)]
    [InlineData("unipc bh1", 4)]
    public void HigherOrdersAreCloserToTheExactPath(string name, double factor)
    {
        // Data of N(0, 1/4): the velocity and the path that it leads along are known in closed form.
        const double Deviation = 0.5;
        double Spread(double s) => Math.Sqrt((Deviation * Deviation * (1 - s) * (1 - s)) + (s * s));
        Tensor Slope(Tensor x, SamplingStep step) =>
            x * ((step.Sigma - ((1 - step.Sigma) * Deviation * Deviation)) / Math.Pow(Spread(step.Sigma), 2));

        double Error(ISolver solver)
        {
            using DisposeScope scope = NewDisposeScope();
            Tensor noise = ones([1]);
            double exact = Deviation / Spread(solver.Schedule.Sigmas[0]);
            return Math.Abs(FlowSampler.Sample(Slope, noise, solver).item<float>() - exact);
        }

        using ISolver euler = Create("euler", 20);
        using ISolver solver = Create(name, 20);
        Assert.True(Error(solver) * factor < Error(euler), $"{name}: {Error(solver)}, Euler: {Error(euler)}");
    }

    [Fact]
    public void EulerTakesTheStepOfItsFormula()
    {
        using DisposeScope scope = NewDisposeScope();
        using var solver = new EulerSolver(NoiseSchedule.FlowMatchEuler(3, 1));
        Tensor x = solver.Step(full([1], 2f), full([1], 5f), 1);
        float width = solver.Schedule.Sigmas[2] - solver.Schedule.Sigmas[1];
        Assert.Equal(5 + (width * 2), x.item<float>(), 6);
    }

    [Fact]
    public void AnotherStartForgetsTheOneBefore()
    {
        using DisposeScope scope = NewDisposeScope();
        using ISolver solver = Create("unipc 2", 6);
        Tensor noise = RandomTensor.Create(1, 5);
        Tensor first = FlowSampler.Sample((x, step) => x.sin() * step.Sigma, noise, solver);
        FlowSampler.Sample((x, _) => x * 3, noise, solver);
        solver.Start();
        solver.Step(noise, noise, 0);
        Assert.Equal(0, RandomTensor.Distance(first, FlowSampler.Sample((x, step) => x.sin() * step.Sigma, noise, solver)));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(4)]
    public void TheOrderOfUniPCIsOneToThree(int order) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new UniPCSolver(NoiseSchedule.UniPC(2, 1), order));

    [Fact]
    public void TheConfigDecidesTheForm()
    {
        var config = new SchedulerConfig { ClassName = SchedulerConfig.UniPC, NumTrainTimesteps = 500, FinalSigmasType = "sigma_min" };
        using ISolver unipc = Solvers.Create(Sampler.UniPC, 4, 3, config);
        using ISolver euler = Solvers.Create(Sampler.Euler, 4, 3, config);
        Assert.IsType<UniPCSolver>(unipc);
        Assert.Equal(unipc.Schedule.Sigmas[3], unipc.Schedule.Sigmas[4]);
        Assert.Equal(499, unipc.Schedule.Times[0]);
        Assert.IsType<EulerSolver>(euler);
        Assert.Equal(500, euler.Schedule.Times[0]);
        using DisposeScope scope = NewDisposeScope();
        Assert.True(FlowSampler.Sample((x, _) => x.sin(), RandomTensor.Create(1, 4), unipc).isfinite().all().item<bool>());
    }

    private static ISolver Create(string name, int steps) => name switch
    {
        "euler" => new EulerSolver(NoiseSchedule.FlowMatchEuler(steps, 3)),
        "unipc 1" => new UniPCSolver(NoiseSchedule.UniPC(steps, 3), 1),
        "unipc 2" => new UniPCSolver(NoiseSchedule.UniPC(steps, 3)),
        "unipc 3" => new UniPCSolver(NoiseSchedule.UniPC(steps, 3), 3),
        "unipc bh1" => new UniPCSolver(NoiseSchedule.UniPC(steps, 3), linearScale: true),
        "unipc legacy" => new UniPCSolver(NoiseSchedule.UniPC(steps, 3, legacy: true)),
        // Euler's levels start at sigma 1, where lambda is infinite.
        "unipc from pure noise" => new UniPCSolver(NoiseSchedule.FlowMatchEuler(steps, 3), 3, linearScale: true),
        "unipc full order" => new UniPCSolver(NoiseSchedule.UniPC(steps, 3), 3, lowerOrderFinal: false),
        _ => throw new ArgumentOutOfRangeException(nameof(name)),
    };
}
