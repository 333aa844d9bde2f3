using Sora.Sampling;
using Sora.Tests.Engine;
using Xunit;

namespace Sora.Tests.Sampling;

public class VideoTimesTests
{
    private static readonly VideoRequest Straight = new("a fish");
    private static readonly VideoRequest Loop = new("a fish") { Loop = true };

    [Fact]
    public void TheRequestDecides()
    {
        Assert.IsType<StraightTime>(VideoTimes.Of(Straight));
        Assert.IsType<CircularTime>(VideoTimes.Of(Loop));
        // 17 frames are a first one and four times four; in a loop four times four.
        Assert.Equal((17, 5), (VideoTimes.Of(Straight).Frames(17), VideoTimes.Of(Straight).LatentFrames(17, 4)));
        Assert.Equal((16, 4), (VideoTimes.Of(Loop).Frames(17), VideoTimes.Of(Loop).LatentFrames(17, 4)));
    }

    [Fact]
    public void OnTheCircleTheNetworkSeesTheFramesInOrderFromAnotherOneAtEachStepAndTheVelocityComesBack()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor sample = RandomTensor.Create(1, 1, 4, 7, 2, 3);
        var firsts = new HashSet<int>();
        for (int index = 0; index < 12; index++)
        {
            var step = new SamplingStep(index, 0.5f, 500);
            Tensor seen = new CircularTime().ToNetwork(sample, step);
            int first = Enumerable.Range(0, 7).Single(t => RandomTensor.Distance(seen.narrow(2, 0, 1), sample.narrow(2, t, 1)) == 0);
            firsts.Add(first);
            for (int t = 0; t < 7; t++)
                Assert.Equal(0, RandomTensor.Distance(seen.narrow(2, t, 1), sample.narrow(2, (first + t) % 7, 1)));
            Assert.Equal(0, RandomTensor.Distance(sample, new CircularTime().FromNetwork(seen, step)));
            Assert.Equal(0, RandomTensor.Distance(sample, new StraightTime().ToNetwork(sample, step)));
        }
        Assert.Equal(7, firsts.Count);
    }
}
