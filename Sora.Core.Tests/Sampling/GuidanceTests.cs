using Sora.Sampling;
using Xunit;

namespace Sora.Tests.Sampling;

public class GuidanceTests
{
    [Fact]
    public void MovesAwayFromTheNegativePrompt()
    {
        using DisposeScope scope = NewDisposeScope();
        Velocity guided = new Guidance(5).Around((_, _) => full([1], 3f), (_, _) => full([1], 1f));
        Assert.Equal(11, guided(ones([1]), default).item<float>());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void WithoutGuidanceTheNegativePromptIsNotComputed(double scale)
    {
        using DisposeScope scope = NewDisposeScope();
        Velocity guided = new Guidance(scale).Around((_, _) => full([1], 3f), (_, _) => throw new InvalidOperationException());
        Assert.Equal(3, guided(ones([1]), default).item<float>());
        Assert.False(new Guidance(scale).IsOn);
    }
}
