using Sora.Patches;
using Sora.Transformer;
using Xunit;

namespace Sora.Tests.Transformer;

public class TokenTimesTests
{
    [Fact]
    public void RunsOfOneLengthBecomeRowsOfTheTable()
    {
        TokenTimes times = TokenTimes.PerToken([5, 5, 5, 8, 8, 8, 5, 5, 5]);
        Assert.Equal(3, times.Run);
        Assert.Equal([5, 8, 5], times.Times);
        Assert.Equal([0, 0, 0, 1, 1, 1, 2, 2, 2], times.Rows);
    }

    [Fact]
    public void ScatteredTimesAreComputedOnceEach()
    {
        TokenTimes times = TokenTimes.PerToken([5, 5, 8, 5, 0]);
        Assert.Equal(0, times.Run);
        Assert.Equal([5, 8, 0], times.Times);
        Assert.Equal([0, 0, 1, 0, 2], times.Rows);
    }

    [Fact]
    public void EveryTokenReadsItsOwnTime()
    {
        var random = new Random(1);
        for (int i = 0; i < 200; i++)
        {
            float[] given = [.. Enumerable.Range(0, random.Next(1, 200)).Select(_ => (float)random.Next(1 + (i % 4)))];
            TokenTimes times = TokenTimes.PerToken(given);
            Assert.Equal(given, times.Rows.Select(row => times.Times[row]));
            if (times.Run > 0)
                Assert.Equal(Enumerable.Range(0, given.Length).Select(t => t / times.Run), times.Rows);
        }
    }

    [Fact]
    public void ClipsOfDifferentSizesHaveTheirTimes()
    {
        var layout = new PackedLayout([new(1, 1, 2), new(1, 1, 3)]);
        TokenTimes times = TokenTimes.PerClip(layout, [7, 9]);
        Assert.Equal([7, 7, 9, 9, 9], times.Rows.Select(row => times.Times[row]));
    }
}
