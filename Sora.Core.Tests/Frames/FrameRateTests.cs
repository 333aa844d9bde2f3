using Sora.Frames;
using Xunit;

namespace Sora.Tests.Frames;

public sealed class FrameRateTests
{
    [Theory]
    [InlineData(24, 24, 1)]
    [InlineData(23.976, 24000, 1001)]
    [InlineData(23.98, 24000, 1001)]
    [InlineData(29.97, 30000, 1001)]
    [InlineData(59.94, 60000, 1001)]
    [InlineData(12.5, 25, 2)]
    [InlineData(0.5, 1, 2)]
    public void Decimals_become_fractions(double value, int numerator, int denominator) =>
        Assert.Equal(new FrameRate(numerator, denominator), FrameRate.FromDouble(value));

    [Theory]
    [InlineData("24", "24")]
    [InlineData("29.97", "30000/1001")]
    [InlineData("50/2", "25")]
    public void Text_is_read(string text, string expected)
    {
        Assert.True(FrameRate.TryParse(text, out FrameRate rate));
        Assert.Equal(expected, rate.ToString());
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("0/0")]
    [InlineData("-1")]
    [InlineData("0")]
    [InlineData("90000/1")]
    [InlineData("1/2/3")]
    [InlineData("fast")]
    public void Nonsense_is_refused(string? text) => Assert.False(FrameRate.TryParse(text, out _));

    [Fact]
    public void Bad_numbers_are_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => FrameRate.FromDouble(double.NaN));
        Assert.Throws<ArgumentOutOfRangeException>(() => FrameRate.FromDouble(0));
        Assert.Throws<ArgumentOutOfRangeException>(() => new FrameRate(1001));
        Assert.Throws<ArgumentOutOfRangeException>(() => new FrameRate(24, 0));
    }

    [Fact]
    public void Times_do_not_drift() =>
        Assert.Equal(TimeSpan.FromSeconds(1001), new FrameRate(24000, 1001).TimeOf(24000));
}
