using Sora.Frames;
using Xunit;

namespace Sora.Tests.Frames;

public sealed class FrameMaskTests
{
    [Fact]
    public void AlmostBlackIsBlackAndAlmostWhiteIsWhite()
    {
        byte[] greys = [0, 16, 17, 128, 238, 239, 255];
        FrameMask mask = FrameMask.From(new VideoFrame(0, greys.Length, 1, greys.SelectMany(grey => new[] { grey, grey, grey }).ToArray(), TimeSpan.Zero));
        Assert.Equal([0, 0, 1, 128, 254, 255, 255], mask.Values.ToArray());
        Assert.True(mask.ChangesAnything);
    }

    [Fact]
    public void ColoursCountByTheirBrightness()
    {
        // 76, 150 and 29 of 255.
        FrameMask mask = FrameMask.From(new VideoFrame(0, 3, 1, new byte[] { 255, 0, 0, 0, 255, 0, 0, 0, 255 }, TimeSpan.Zero));
        Assert.Equal([69, 153, 15], mask.Values.ToArray());
    }

    [Fact]
    public void ABlackMaskChangesNothing() => Assert.False(new FrameMask(2, 2, new byte[4]).ChangesAnything);

    [Fact]
    public void ValuesOfAnotherLengthAreAMistakeOfTheCaller()
    {
        Assert.Contains("A mask of 2x3 has 6 values, not 5.", Assert.Throws<ArgumentException>(() => new FrameMask(2, 3, new byte[5])).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => new FrameMask(0, 3, default));
    }
}
