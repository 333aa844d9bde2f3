using Sora.Patches;
using Sora.Sampling;
using Sora.Tests.Engine;
using Sora.Weights;
using Xunit;

namespace Sora.Tests.Sampling;

public sealed class SamplePredictionTests
{
    private static readonly ChannelLead s_lead = new(2, 8);

    // At σ = 0.9 data of deviation 8 stand out as data of deviation 1 do at 0.9/(0.9 + 0.8).
    [Theory]
    [InlineData(0.9f, 1.7f, 0.5294118f)]
    [InlineData(0.5f, 4.5f, 0.1111111f)]
    [InlineData(1f, 1f, 1f)]
    [InlineData(0f, 8f, 0f)]
    public void LargerDataStandOutEarlier(float sigma, float length, float level)
    {
        Assert.Equal(length, s_lead.LengthAt(sigma), 5);
        Assert.Equal(level, s_lead.LevelAt(sigma), 5);
    }

    [Theory]
    [InlineData(FlowPrediction.Velocity, 1f)]
    [InlineData(FlowPrediction.Velocity, 0.7f)]
    [InlineData(FlowPrediction.Velocity, 0.001f)]
    [InlineData(FlowPrediction.Preconditioned, 1f)]
    [InlineData(FlowPrediction.Preconditioned, 0.95f)]
    [InlineData(FlowPrediction.Preconditioned, 0.3f)]
    [InlineData(FlowPrediction.Preconditioned, 0.001f)]
    public void TheExactOutputGivesTheVelocityOfEveryChannel(FlowPrediction kind, float sigma)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor plain = RandomTensor.Create(1, 1, 5, 2, 3, 3), noise = RandomTensor.Create(2, 1, 5, 2, 3, 3);
        Tensor data = cat([plain.narrow(1, 0, 3), plain.narrow(1, 3, 2) * 8], 1);
        Tensor sample = (data * (1 - sigma)) + (noise * sigma);
        var prediction = new SamplePrediction(kind, s_lead);
        long[] one = [1, 1, 1, 1, 1];

        // What the network sees is a sample of data of deviation 1, of the leading channels at a level of their own.
        Tensor input = prediction.Input(sample, [sigma], one);
        float level = s_lead.LevelAt(sigma);
        Tensor seen = cat([sample.narrow(1, 0, 3), (plain.narrow(1, 3, 2) * (1 - level)) + (noise.narrow(1, 3, 2) * level)], 1);
        Assert.InRange(RandomTensor.Distance(seen, input), 0, 1e-5);

        Tensor output = cat([Exact(0, 3, sigma), Exact(3, 2, level)], 1);
        Assert.InRange(RandomTensor.Distance(noise - data, prediction.Velocity(sample, output, [sigma], one)), 0, 1e-4);

        Tensor Exact(int first, int count, float at)
        {
            (Tensor d, Tensor n) = (plain.narrow(1, first, count), noise.narrow(1, first, count));
            return kind == FlowPrediction.Velocity ? n - d : ((d * at) - (n * (1 - at))) / MathF.Sqrt(((1 - at) * (1 - at)) + (at * at));
        }
    }

    [Theory]
    [InlineData(false, 0.95f)]
    [InlineData(true, 0.95f)]
    [InlineData(true, 0.2f)]
    public void DetailsAreNotSeenAndEndWhereTheOutputSays(bool lead, float sigma)
    {
        using DisposeScope scope = NewDisposeScope();
        long[] one = [1, 1, 1, 1, 1];
        var prediction = new SamplePrediction(FlowPrediction.Preconditioned, lead ? s_lead : null, 2);
        var without = new SamplePrediction(FlowPrediction.Preconditioned, lead ? s_lead : null);
        Tensor sample = RandomTensor.Create(1, 1, 6, 2, 3, 3), output = RandomTensor.Create(2, 1, 6, 2, 3, 3);
        int first = lead ? 2 : 4;
        Tensor input = prediction.Input(sample, [sigma], one), velocity = prediction.Velocity(sample, output, [sigma], one);
        Assert.Equal(0, input.narrow(1, first, 2).abs().max().item<float>());
        // A step to noise level 0.
        Assert.InRange(RandomTensor.Distance((sample - (velocity * sigma)).narrow(1, first, 2), output.narrow(1, first, 2)), 0, 1e-5);
        // The others are as if there were none.
        foreach ((long at, long count) in (IEnumerable<(long, long)>)(lead ? [(0, 2), (4, 2)] : [(0, 4)]))
        {
            Assert.Equal(0, RandomTensor.Distance(without.Input(sample, [sigma], one).narrow(1, at, count), input.narrow(1, at, count)));
            Assert.Equal(0, RandomTensor.Distance(without.Velocity(sample, output, [sigma], one).narrow(1, at, count), velocity.narrow(1, at, count)));
        }
        Assert.Equal(0, prediction.Velocity(sample, output, [0], one).narrow(1, first, 2).abs().max().item<float>());

        // An error of the data is that of the velocity times the level.
        Tensor squares = (prediction.Velocity(sample, output + 1, [sigma], one) - velocity).square();
        Assert.Equal(4 * (1 - sigma) * (1 - sigma), prediction.Weighed(squares, [sigma], one).narrow(1, first, 2).mean().item<float>(), 1e-4);
        Assert.Contains("detail_channels -1 is out of range", Assert.Throws<SoraException>(() => new SamplePrediction(FlowPrediction.Velocity, null, -1)).Message, StringComparison.Ordinal);
    }

    // With any solver, whose last step takes what the network says as it is.
    [Theory]
    [InlineData(Sampler.Euler)]
    [InlineData(Sampler.UniPC)]
    [InlineData(Sampler.DpmPlusPlus2M)]
    [InlineData(Sampler.EulerTrailing)]
    public void EverySamplerEndsWithTheDetailsOfItsLastStep(Sampler sampler)
    {
        using DisposeScope scope = NewDisposeScope();
        var prediction = new SamplePrediction(FlowPrediction.Velocity, null, 2);
        using ISolver solver = Solvers.Create(sampler, 4, 3, new SchedulerConfig { ClassName = SchedulerConfig.UniPC });
        Tensor x = RandomTensor.Create(1, 1, 5, 1, 2, 2);
        Tensor[] said = [.. Enumerable.Range(0, 4).Select(step => RandomTensor.Create((ulong)step + 10, 1, 5, 1, 2, 2))];
        Tensor result = FlowSampler.Sample((sample, step) => prediction.Velocity(sample, said[step.Index], [solver.Schedule.Sigmas[step.Index]], [1, 1, 1, 1, 1]), x, solver);
        Assert.InRange(RandomTensor.Distance(result.narrow(1, 3, 2), said[^1].narrow(1, 3, 2)), 0, 1e-4);
    }

    // Patches hold each channel's points one after the other, and every one has a level.
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void PatchesAreAsTheirLatents(int details)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor latent = RandomTensor.Create(1, 1, 5, 1, 4, 4), output = RandomTensor.Create(2, 1, 5, 1, 4, 4);
        int[] patch = [1, 2, 2];
        var prediction = new SamplePrediction(FlowPrediction.Preconditioned, s_lead, details);
        float[] levels = [0.6f, 0.6f, 0.6f, 0.6f];

        Tensor patches = Patchify.Cut(latent, patch), outputs = Patchify.Cut(output, patch);
        Tensor velocity = prediction.Velocity(latent, output, [0.6f], [1, 1, 1, 1, 1]);

        Assert.Equal(0, RandomTensor.Distance(Patchify.Cut(prediction.Input(latent, [0.6f], [1, 1, 1, 1, 1]), patch), prediction.Input(patches, levels, [4, 1], 4)));
        Assert.Equal(0, RandomTensor.Distance(Patchify.Cut(velocity, patch), prediction.Velocity(patches, outputs, levels, [4, 1], 4)));
    }

    // Every channel's error of 1 in the velocity of its own flow counts 1, at any level.
    [Theory]
    [InlineData(1f)]
    [InlineData(0.9f)]
    [InlineData(0.3f)]
    public void AnErrorCountsAsInTheFlowOfTheChannelsOwnLevel(float sigma)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor sample = RandomTensor.Create(1, 1, 5, 1, 4, 4), output = RandomTensor.Create(2, 1, 5, 1, 4, 4);
        var prediction = new SamplePrediction(FlowPrediction.Velocity, s_lead);
        long[] one = [1, 1, 1, 1, 1];
        Tensor squares = (prediction.Velocity(sample, output + 1, [sigma], one) - prediction.Velocity(sample, output, [sigma], one)).square();
        Tensor weighed = prediction.Weighed(squares, [sigma], one);
        Assert.InRange(RandomTensor.Distance((squares * 0) + 1, weighed), 0, 1e-4);

        int[] patch = [1, 2, 2];
        Assert.Equal(0, RandomTensor.Distance(Patchify.Cut(weighed, patch), prediction.Weighed(Patchify.Cut(squares, patch), [sigma, sigma, sigma, sigma], [4, 1], 4)));
        Assert.Same(squares, new SamplePrediction(FlowPrediction.Velocity).Weighed(squares, [sigma], one));
    }

    // One solver steps all channels: where the velocity leads straight to the data, those with a lead arrive as the others.
    [Fact]
    public void AnySolverArrives()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor data = RandomTensor.Create(1, 1, 5, 1, 2, 2), noise = RandomTensor.Create(2, 1, 5, 1, 2, 2);
        Tensor larger = cat([data.narrow(1, 0, 3), data.narrow(1, 3, 2) * 8], 1);
        var prediction = new SamplePrediction(FlowPrediction.Velocity, s_lead);
        foreach (Sampler sampler in (Sampler[])[Sampler.Euler, Sampler.Heun, Sampler.UniPC, Sampler.DpmPlusPlus2M])
        {
            using ISolver solver = Solvers.Create(sampler, 6, 3, new() { ClassName = SchedulerConfig.UniPC, UseFlowSigmas = true });
            Tensor end = FlowSampler.Sample(
                (x, step) => prediction.Velocity(x, (Seen(x, step.Sigma) - data) / Levels(step.Sigma), [step.Sigma], [1, 1, 1, 1, 1]), noise, solver);
            Assert.InRange(RandomTensor.Distance(larger, end), 0, 1e-3);
        }

        Tensor Seen(Tensor x, float sigma) => prediction.Input(x, [sigma], [1, 1, 1, 1, 1]);
        Tensor Levels(float sigma) => tensor([sigma, sigma, sigma, s_lead.LevelAt(sigma), s_lead.LevelAt(sigma)], [1, 5, 1, 1, 1]);
    }

    [Fact]
    public void WithoutALeadTheSampleIsGivenAsItIs()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor sample = RandomTensor.Create(1, 1, 5, 1, 2, 2);
        SamplePrediction prediction = FlowPrediction.Velocity;
        Assert.Same(sample, prediction.Input(sample, [0.5f], [1, 1, 1, 1, 1]));
        Assert.Same(sample, prediction.Velocity(sample, sample, [0.5f], [1, 1, 1, 1, 1]));
    }

    [Theory]
    [InlineData(0, 8, "lead_channels 0 is out of range; allowed: 1 to 100000, nearest: 1.")]
    [InlineData(12, 0.5, "lead_gain 0.5 is out of range; allowed: 1 to 1000, nearest: 1.")]
    public void ALeadOutOfRangeIsRefused(int channels, double gain, string message) =>
        Assert.Equal(message, Assert.Throws<SoraException>(() => new ChannelLead(channels, gain)).Message);
}
