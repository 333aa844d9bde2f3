using Sora.Sampling;
using Sora.Tests.Engine;
using Xunit;

namespace Sora.Tests.Sampling;

public class GuidanceTests
{
    private static readonly Velocity Three = (_, _) => full([1], 3f);
    private static readonly Velocity One = (_, _) => full([1], 1f);
    private static readonly Velocity NotComputed = (_, _) => throw new InvalidOperationException();

    [Fact]
    public void MovesAwayFromTheNegativePrompt()
    {
        using DisposeScope scope = NewDisposeScope();
        Assert.Equal(11, new Guidance(5).Around(Three, One)(ones([1]), default).item<float>());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void WithoutGuidanceTheNegativePromptIsNotComputed(double scale)
    {
        using DisposeScope scope = NewDisposeScope();
        Assert.Equal(3, new Guidance(scale).Around(Three, NotComputed)(ones([1]), default).item<float>());
        Assert.False(new Guidance(scale).IsOn);
    }

    [Fact]
    public void OutsideItsIntervalTheNegativePromptIsNotComputed()
    {
        using DisposeScope scope = NewDisposeScope();
        var guidance = new Guidance(5, new SigmaInterval(0.2f, 0.8f));
        foreach (float sigma in (float[])[0, 0.19f, 0.81f, 1])
            Assert.Equal(3, guidance.Around(Three, NotComputed)(ones([1]), new(0, sigma, 0)).item<float>());
        foreach (float sigma in (float[])[0.2f, 0.5f, 0.8f])
            Assert.Equal(11, guidance.Around(Three, One)(ones([1]), new(0, sigma, 0)).item<float>());
        Assert.True(guidance.IsOn);
        Assert.False(new Guidance(1, SigmaInterval.All).IsOnAt(0.5f));
    }

    [Fact]
    public void RescaleBringsEachClipBackToThePromptsSpread()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor spreads = tensor([1f, 4f], [2, 1, 1]);
        Tensor conditional = RandomTensor.Create(1, 2, 30, 40) * spreads, unconditional = RandomTensor.Create(2, 2, 30, 40);
        Tensor plain = new Guidance(5).Combine(conditional, unconditional);
        Tensor full = new Guidance(5, Rescale: 1).Combine(conditional, unconditional);
        Tensor half = new Guidance(5, Rescale: 0.5).Combine(conditional, unconditional);
        for (int clip = 0; clip < 2; clip++)
        {
            double wanted = Spread(conditional.select(0, clip)), guided = Spread(plain.select(0, clip));
            Assert.True(guided > 2 * wanted);
            Assert.Equal(wanted, Spread(full.select(0, clip)), 3);
            Assert.Equal((wanted + guided) / 2, Spread(half.select(0, clip)), 3);
            // A factor, and nothing else.
            Tensor factor = full.select(0, clip) / plain.select(0, clip);
            Assert.InRange((factor - factor.mean()).abs().max().item<float>(), 0, 1e-4f);
        }
        Assert.Equal(0, RandomTensor.Distance(plain, new Guidance(5, Rescale: 0).Combine(conditional, unconditional)));
    }

    [Fact]
    public void WhatLeadsStaysThePromptsOwn()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor conditional = RandomTensor.Create(1, 2, 5, 1, 3, 3), unconditional = RandomTensor.Create(2, 2, 5, 1, 3, 3);
        var guidance = new Guidance(5, Rescale: 0.7);
        Tensor led = guidance.Combine(conditional, unconditional, new ChannelLead(2, 16));
        Assert.Equal(0, RandomTensor.Distance(conditional.narrow(1, 3, 2), led.narrow(1, 3, 2)));
        Assert.Equal(0, RandomTensor.Distance(guidance.Combine(conditional.narrow(1, 0, 3), unconditional.narrow(1, 0, 3)), led.narrow(1, 0, 3)));
        Assert.InRange(RandomTensor.Distance(conditional.narrow(1, 0, 3), led.narrow(1, 0, 3)), 0.1, 100);
    }

    private static double Spread(Tensor x) => (x - x.mean()).square().mean().sqrt().item<float>();
}
