using Sora.Conditioning;
using Sora.Sampling;
using Sora.Tests.Engine;
using Sora.Tests.Generation;
using Sora.Weights;
using Xunit;

namespace Sora.Tests.Conditioning;

public sealed class SourceLeadTests
{
    private static readonly ChannelLead Lead = new(2, 4);

    [Fact]
    public void ThereIsSomethingToDrawBetweenTheFirstStepAndTheLast()
    {
        var schedule = NoiseSchedule.FlowMatchEuler(4, 3);
        Assert.Null(SourceLead.Before(0, schedule, Lead));
        Assert.Null(SourceLead.Before(4, schedule, Lead));
        Assert.Null(SourceLead.Before(2, schedule, null));
        Assert.Equal(2, SourceLead.Before(2, schedule, Lead)!.Steps);
    }

    [Fact]
    public void TheLeadIsDrawnBesideTheSourceAtEachLevel()
    {
        using DisposeScope scope = NewDisposeScope();
        var schedule = NoiseSchedule.FlowMatchEuler(5, 3);
        const int start = 3;
        Tensor source = RandomTensor.Create(1, 1, 5, 2, 3, 3), noise = RandomTensor.Create(2, 1, 5, 2, 3, 3), map = RandomTensor.Create(3, 1, 2, 2, 3, 3) * 4;
        Tensor Fresh(int step) => RandomTensor.Create((ulong)(10 + step), 1, 5, 2, 3, 3);
        var evaluated = new List<int>();
        Tensor[] drawn = SourceLead.Before(start, schedule, Lead)!.Draw(Velocity, [source], [noise], (step, _) => Fresh(step), evaluated.Add, CancellationToken.None);

        float sigma = schedule.Sigmas[start];
        Assert.Equal([1, 2, 3], evaluated);
        Assert.InRange(RandomTensor.Distance(((source * (1 - sigma)) + (noise * sigma)).narrow(1, 0, 3), drawn[0].narrow(1, 0, 3)), 0, 1e-5);
        // Steps of first order along a straight line end on it.
        Assert.InRange(RandomTensor.Distance((map * (1 - sigma)) + (noise.narrow(1, 3, 2) * sigma), drawn[0].narrow(1, 3, 2)), 0, 1e-4);

        // What a network that knows the map would say; it sees the source under the noise of the step.
        Tensor[] Velocity(IReadOnlyList<Tensor> samples, SamplingStep step)
        {
            Tensor seen = step.Index == 0 ? noise : (source * (1 - step.Sigma)) + (Fresh(step.Index) * step.Sigma);
            Assert.InRange(RandomTensor.Distance(seen.narrow(1, 0, 3), samples[0].narrow(1, 0, 3)), 0, 1e-5);
            Tensor lead = (samples[0].narrow(1, 3, 2) - map) / step.Sigma;
            return [cat([full([1, 3, 2, 3, 3], 100f), lead], 1)];
        }
    }

    [Fact]
    public void InAnotherSizeItIsAsBetweenNeighbours()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor ramp = tensor(new float[] { 0, 1, 2, 3 }, [1, 1, 1, 1, 4]);
        Tensor latent = cat([zeros([1, 3, 1, 2, 4]), cat([ramp, ramp + 4], 3), full([1, 1, 1, 2, 4], 7f)], 1);
        Tensor resized = SourceLead.Resize(latent, Lead, new(5, 1, 4, 8));
        Assert.Equal([1, 2, 1, 4, 8], resized.shape);
        Assert.Equal([0, 0.25f, 0.75f, 1.25f, 1.75f, 2.25f, 2.75f, 3], resized.narrow(1, 0, 1).narrow(3, 0, 1).contiguous().data<float>().ToArray());
        Assert.Equal([0, 1, 3, 4], resized.narrow(1, 0, 1).narrow(4, 0, 1).contiguous().data<float>().ToArray());
        Assert.Equal(0, RandomTensor.Distance(full([1, 1, 1, 4, 8], 7f), resized.narrow(1, 1, 1)));
        Assert.Equal(0, RandomTensor.Distance(latent.narrow(1, 3, 2), SourceLead.Resize(latent, Lead, new(5, 1, 2, 4))));
        Tensor put = SourceLead.Put(resized, ones([1, 5, 1, 4, 8]));
        Assert.Equal(0, RandomTensor.Distance(cat([ones([1, 3, 1, 4, 8]), resized], 1), put));
    }

    [Theory]
    [InlineData(0.5, null, 8)]
    [InlineData(1.0, null, 8)]
    [InlineData(0.0, null, 0)]
    [InlineData(null, 0.5, 4)]
    public void TheStepsOfAnEstimateAreThose(double? strength, double? draft, int expected)
    {
        ModelFolder folder = ModelFolder.Open(PocketModel.Folder);
        var request = new VideoRequest("a fish") { Steps = 8, Seed = 1, Draft = draft };
        VideoRequest resolved = request.Resolve(VideoGenerator.ReadLimits(PocketModel.Folder)) with { Strength = strength };
        Assert.Equal(expected, BatchSolver.StepsOf(resolved, folder).Length);
        Assert.Equal(strength is 0.5 ? 4 : expected, BatchSolver.StepsOf(resolved, folder with { Scheduler = folder.Scheduler with { Lead = null } }).Length);
    }
}
