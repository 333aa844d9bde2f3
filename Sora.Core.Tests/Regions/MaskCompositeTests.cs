using Sora.Frames;
using Sora.Regions;
using Sora.Tests.Conditioning;
using Xunit;

namespace Sora.Tests.Regions;

/// <summary>What is kept, what is changed, and the joint between them, in pixels.</summary>
public sealed class MaskCompositeTests
{
    private static readonly VideoFrame Source = TestFrames.Create(2);

    [Theory]
    [InlineData(0)]
    [InlineData(6)]
    public void KeptPixelsAreTheSourcesBitForBit(int feather)
    {
        FrameMask mask = TestMasks.Rectangle(11, 5, 27, 20);
        VideoFrame made = TestFrames.Create(5), composite = new MaskComposite([Source], [mask], feather).Apply(made);
        Assert.Equal(TestMasks.Pixels([Source], [mask], kept: true), TestMasks.Pixels([composite], [mask], kept: true));
        Assert.NotEqual(TestMasks.Pixels([Source], [mask], kept: false), TestMasks.Pixels([composite], [mask], kept: false));
        if (feather == 0)
            Assert.Equal(TestMasks.Pixels([made], [mask], kept: false), TestMasks.Pixels([composite], [mask], kept: false));
    }

    [Fact]
    public void GreyIsAMixture()
    {
        VideoFrame made = Grey(200);
        foreach ((byte value, byte expected) in new (byte, byte)[] { (255, 200), (51, 120), (128, 150), (1, 100) })
        {
            VideoFrame composite = new MaskComposite([Grey(100)], [TestMasks.Rectangle(0, 0, 32, 32, value: value)], 8).Apply(made);
            Assert.All(composite.Rgb.ToArray(), pixel => Assert.Equal(expected, pixel));
        }
    }

    [Fact]
    public void TheDifferenceAtTheEdgeFadesOverTheFeather()
    {
        // Kept 100 left of column 12, made 160 everywhere: without a feather a step of 60.
        VideoFrame composite = new MaskComposite([Grey(100)], [TestMasks.Rectangle(12, 0, 32, 32)], 6).Apply(Grey(160));
        for (int y = 0; y < 32; y++)
        {
            byte[] row = [.. Enumerable.Range(0, 32).Select(x => composite.Rgb.Span[3 * ((y * 32) + x)])];
            Assert.Equal([100, 100, 110, 120, 130, 140, 150, 160, 160], row[11..20]);
        }
    }

    [Fact]
    public void WhatIsMadeKeepsItsDetailInTheFeather()
    {
        // A pattern 60 above the kept one, with detail of its own: the joint takes the 60 and leaves the detail.
        VideoFrame made = new(0, 32, 32, Enumerable.Range(0, 3 * 32 * 32).Select(i => (byte)(160 + (i / 3 % 2 == 0 ? 10 : -10))).ToArray(), TimeSpan.Zero);
        VideoFrame composite = new MaskComposite([Grey(100)], [TestMasks.Rectangle(12, 0, 32, 32)], 6).Apply(made);
        int first = composite.Rgb.Span[3 * 12], second = composite.Rgb.Span[3 * 13];
        Assert.InRange(first - second, 5, 15);
    }

    [Fact]
    public void EachFrameHasItsMask()
    {
        FrameMask left = TestMasks.Rectangle(0, 0, 16, 32), none = new(32, 32, new byte[1024]);
        var composite = new MaskComposite([Grey(100), Grey(100), Grey(100)], [left, none, left], 0);
        Assert.Equal([200, 100, 200], new[] { 0, 1, 2 }.Select(i => composite.Apply(new(i, 32, 32, Grey(200).Rgb, TimeSpan.Zero)).Rgb.Span[0]));
    }

    private static VideoFrame Grey(byte value) => new(0, 32, 32, Enumerable.Repeat(value, 3 * 32 * 32).ToArray(), TimeSpan.Zero);
}
