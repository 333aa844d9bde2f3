using Sora.Sampling;
using Xunit;

namespace Sora.Tests.Sampling;

public class NoiseScheduleTests
{
    [Theory]
    [InlineData("Euler")]
    [InlineData("UniPC")]
    [InlineData("UniPC legacy")]
    [InlineData("DPM")]
    [InlineData("Wan DPM")]
    [InlineData("Trailing")]
    public void FallsFromNoiseToData(string name)
    {
        foreach ((int steps, double shift) in ((int, double)[])[(1, 3), (2, 1), (7, 0.5), (7, 12), (50, 5), (1000, 1)])
        {
            NoiseSchedule schedule = name switch
            {
                "Euler" => NoiseSchedule.FlowMatchEuler(steps, shift),
                "DPM" => NoiseSchedule.Dpm(steps, shift),
                "Trailing" => NoiseSchedule.Trailing(steps, shift),
                "Wan DPM" => NoiseSchedule.WanDpm(steps, shift),
                _ => NoiseSchedule.UniPC(steps, shift, legacy: name == "UniPC legacy"),
            };
            Assert.Equal(steps, schedule.Steps);
            Assert.Equal(steps + 1, schedule.Sigmas.Count);
            Assert.InRange(schedule.Sigmas[0], 0.99f, 1);
            Assert.Equal(0, schedule.Sigmas[^1]);
            for (int i = 0; i < steps; i++)
            {
                Assert.True(schedule.Sigmas[i] > schedule.Sigmas[i + 1]);
                Assert.InRange(schedule.Times[i], (schedule.Sigmas[i] * 1000) - 1.001f, (schedule.Sigmas[i] * 1000) + 0.001f);
            }
        }
    }

    [Fact]
    public void WithoutShiftTheLevelsAreEvenlySpaced()
    {
        Assert.Equal([1, 0.667f, 0.334f, 0.001f, 0], NoiseSchedule.FlowMatchEuler(4, 1).Sigmas.Select(s => MathF.Round(s, 6)));
        Assert.Equal([0.999999f, 0.75025f, 0.5005f, 0.25075f, 0], NoiseSchedule.UniPC(4, 1).Sigmas.Select(s => MathF.Round(s, 6)));
        Assert.Equal([0.999f, 0.74925f, 0.4995f, 0.24975f, 0], NoiseSchedule.UniPC(4, 1, legacy: true).Sigmas.Select(s => MathF.Round(s, 6)));
        Assert.Equal([0.999f, 0.74925f, 0.4995f, 0.24975f, 0], NoiseSchedule.Dpm(4, 1).Sigmas.Select(s => MathF.Round(s, 6)));
        Assert.Equal([1, 0.75f, 0.5f, 0.25f, 0], NoiseSchedule.WanDpm(4, 1).Sigmas);
    }

    // The four steps of the distilled Wan models of lightx2v: 1000, 937.5, 833.3, 625 at shift 5.
    [Fact]
    public void TrailingLevelsAreTheNoisyEndsOfEqualSteps()
    {
        Assert.Equal([1, 0.75f, 0.5f, 0.25f, 0], NoiseSchedule.Trailing(4, 1).Sigmas);
        Assert.Equal([1000, 937.5f, 833.3333f, 625], NoiseSchedule.Trailing(4, 5).Times);
    }

    [Fact]
    public void UniPCGivesTheNetworkWholeTimes() =>
        Assert.Equal([999, 750, 500, 250], NoiseSchedule.UniPC(4, 1).Times);

    [Fact]
    public void TheEndMayRepeatTheLastLevel() =>
        Assert.Equal(0.50050002f, NoiseSchedule.UniPC(2, 1, endsAtZero: false).Sigmas[^1]);

    [Fact]
    public void GivenLevelsAreShiftedOnce()
    {
        NoiseSchedule schedule = NoiseSchedule.FromSigmas([1, 0.5, 0.25], 3);
        Assert.Equal([1, 0.75f, 0.5f, 0], schedule.Sigmas);
        Assert.Equal([1000, 750, 500], schedule.Times);
        Assert.Equal(new SamplingStep(1, 0.75f, 750), schedule.At(1));
        foreach (double[] levels in (double[][])[[], [0.5, 0.5], [0.5, 0.75], [1.5, 1], [1, 0], [1, double.NaN]])
            Assert.Throws<ArgumentException>(() => NoiseSchedule.FromSigmas(levels, 1));
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(4, 0)]
    [InlineData(4, -3)]
    public void RefusesWhatHasNoSchedule(int steps, double shift)
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => NoiseSchedule.FlowMatchEuler(steps, shift));
        Assert.Throws<ArgumentOutOfRangeException>(() => NoiseSchedule.UniPC(steps, shift));
        Assert.Throws<ArgumentOutOfRangeException>(() => NoiseSchedule.Dpm(steps, shift));
        Assert.Throws<ArgumentOutOfRangeException>(() => NoiseSchedule.WanDpm(steps, shift));
        Assert.Throws<ArgumentOutOfRangeException>(() => NoiseSchedule.Trailing(steps, shift));
    }
}
