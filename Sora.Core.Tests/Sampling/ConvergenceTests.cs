using Sora.Sampling;
using Sora.Tests.Engine;
using Xunit;

namespace Sora.Tests.Sampling;

/// <summary>Solvers against flows whose result is known: the path of each sample, or the distribution of all.</summary>
public class ConvergenceTests
{
    public static TheoryData<string> Deterministic => TestSolvers.Deterministic;

    // The first step has no history, and a logarithm of the noise has no even steps near pure noise: a solver's order shows
    // over several doublings, not in each.
    [Theory]
    [MemberData(nameof(Deterministic))]
    public void MoreStepsComeNearerToTheFlowByTheSolversOrder(string name)
    {
        using DisposeScope scope = NewDisposeScope();
        var flow = new MixtureFlow(-1, 1.5, 0.4, share1: 0.4);
        Tensor noise = RandomTensor.Create(3, 64);
        int[] counts = [20, 40, 80, 160];
        double[] errors = Array.ConvertAll(counts, steps =>
        {
            using ISolver solver = TestSolvers.Create(name, steps);
            Tensor exact = tensor(flow.Exact(noise.data<float>().ToArray(), solver.Schedule.Sigmas[0]));
            return (double)(FlowSampler.Sample(flow.Velocity, noise, solver) - exact).abs().mean().item<float>();
        });
        string shown = $"{name}: {string.Join(", ", counts.Zip(errors, (n, e) => $"{n} steps {e:0.0e0}"))}";
        for (int i = 1; i < errors.Length; i++)
            Assert.True(errors[i] < errors[i - 1] / 1.6, shown);
        bool firstOrder = name is "euler" or "dpm 1"; // the corrector makes a second of UniPC's first
        double gain = errors[0] / errors[^1];
        Assert.True(firstOrder ? gain is > 5 and < 13 : gain > 20, shown);
        Assert.True(errors[^1] < (firstOrder ? 2e-2 : 1.5e-3), shown);
    }

    [Theory]
    [InlineData("sde 1", 0.1)]
    [InlineData("sde 2", 0.025)]
    [InlineData("sde 2 from pure noise", 0.025)]
    public void TheStochasticSolverEndsInTheDatasDistribution(string name, double tolerance)
    {
        using DisposeScope scope = NewDisposeScope();
        const int Count = 20_000;
        var flow = new MixtureFlow(0.7, 0.7, 0.5);
        using ISolver solver = TestSolvers.Create(name, 100, Count);
        RequireDistribution(FlowSampler.Sample(flow.Velocity, RandomTensor.Create(3, Count), solver), 0.7, 0.5, tolerance);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    [InlineData(8)]
    public void LcmGivesTheDatasDistributionWhereTheNetworkPredictsThePathsEnd(int steps)
    {
        using DisposeScope scope = NewDisposeScope();
        const int Count = 20_000;
        const double Mean = 0.7, Deviation = 0.5;
        using ISolver solver = TestSolvers.Create("lcm", steps, Count);
        // What a network distilled without error gives for data of N(mean, deviation²): the end of the path through x.
        Tensor Distilled(Tensor x, SamplingStep step)
        {
            double signal = 1 - step.Sigma, spread = Math.Sqrt((signal * signal * Deviation * Deviation) + (step.Sigma * step.Sigma));
            Tensor end = ((x - (signal * Mean)) * (Deviation / spread)) + Mean;
            return (x - end) / step.Sigma;
        }
        RequireDistribution(FlowSampler.Sample(Distilled, RandomTensor.Create(3, Count), solver), Mean, Deviation, 0.025);
    }

    private static void RequireDistribution(Tensor samples, double mean, double deviation, double tolerance)
    {
        // Five standard errors of 20,000 samples.
        Assert.InRange(samples.mean().item<float>(), mean - (deviation * 0.036), mean + (deviation * 0.036));
        double spread = (samples - samples.mean()).square().mean().sqrt().item<float>();
        Assert.InRange(spread, deviation * (1 - tolerance), deviation * (1 + tolerance));
    }
}
