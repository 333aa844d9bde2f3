using Xunit;

namespace Sora.Tests;

public class VideoRequestTests
{
    private static readonly ModelLimits Limits = new()
    {
        SpatialStride = 16,
        TemporalStride = 4,
        Width = 64,
        Height = 48,
        FrameCount = 17,
        FramesPerSecond = 8,
        Steps = 20,
        GuidanceScale = 5,
        Shift = 3,
        Sampler = Sampler.UniPC,
        NegativePrompt = "blurry",
    };

    private static readonly VideoRequest Fish = new("A red fish");

    [Theory]
    [InlineData("")]
    [InlineData(" \t\n")]
    public void AnEmptyPromptIsABadRequest(string prompt)
    {
        Assert.Contains("prompt is empty", Assert.Throws<SoraException>(() => new VideoRequest(prompt)).Message, StringComparison.Ordinal);
        Assert.Throws<SoraException>(() => Fish with { Prompt = prompt });
    }

    [Fact]
    public void ANulInThePromptIsABadRequest() => Assert.Throws<SoraException>(() => new VideoRequest("a\0fish"));

    [Fact]
    public void NoPromptIsAMistakeOfTheCaller() => Assert.Throws<ArgumentNullException>(() => new VideoRequest(null!));

    public static TheoryData<Func<VideoRequest>, string> OutOfRange => new()
    {
        { () => Fish with { Width = 0 }, "Width 0 is out of range; allowed: 1 to 16384, nearest: 1." },
        { () => Fish with { Height = 20000 }, "Height 20000 is out of range; allowed: 1 to 16384, nearest: 16384." },
        { () => Fish with { FrameCount = -3 }, "FrameCount -3 is out of range; allowed: 1 to 1000000, nearest: 1." },
        { () => Fish with { FramesPerSecond = 241 }, "FramesPerSecond 241 is out of range; allowed: 1 to 240, nearest: 240." },
        { () => Fish with { Steps = 0 }, "Steps 0 is out of range; allowed: 1 to 1000, nearest: 1." },
        { () => Fish with { GuidanceScale = -0.5f }, "GuidanceScale -0.5 is out of range; allowed: 0 to 100, nearest: 0." },
        { () => Fish with { GuidanceScale = float.NaN }, "GuidanceScale NaN is out of range; allowed: 0 to 100." },
        { () => Fish with { GuidanceRescale = 1.5f }, "GuidanceRescale 1.5 is out of range; allowed: 0 to 1, nearest: 1." },
        { () => Fish with { GuidanceInterval = new(-0.5f, 1) }, "The low end of the guidance interval -0.5 is out of range; allowed: 0 to 1, nearest: 0." },
        { () => Fish with { GuidanceInterval = new(0, float.NaN) }, "The high end of the guidance interval NaN is out of range; allowed: 0 to 1." },
        { () => Fish with { GuidanceInterval = new(0.75f, 0.25f) }, "The guidance interval 0.75:0.25 is empty; nearest: 0.25:0.75." },
        { () => Fish with { Shift = float.PositiveInfinity }, "Shift Infinity is out of range; allowed: 0.01 to 100, nearest: 100." },
        { () => Fish with { Seed = -1 }, "Seed -1 is out of range; allowed: 0 to 9223372036854775807, nearest: 0." },
    };

    [Theory]
    [MemberData(nameof(OutOfRange), DisableDiscoveryEnumeration = true)]
    public void AValueOutOfRangeIsNamedWithItsRangeAndTheNearest(Func<VideoRequest> make, string message) =>
        Assert.Equal(message, Assert.Throws<SoraException>(make).Message);

    [Fact]
    public void TheEndsOfTheRangesAreAllowed()
    {
        VideoRequest least = Fish with { Width = 1, Height = 1, FrameCount = 1, FramesPerSecond = 1, Steps = 1, GuidanceScale = 0, Shift = 0.01f, Seed = 0 };
        VideoRequest greatest = Fish with { Width = 16384, FrameCount = 1_000_000, FramesPerSecond = 240, Steps = 1000, GuidanceScale = 100, Shift = 100, Seed = long.MaxValue };
        Assert.Equal(1, least.Width);
        Assert.Equal(long.MaxValue, greatest.Seed);
    }

    [Fact]
    public void WhatIsOpenTakesTheModelsDefault()
    {
        VideoRequest resolved = (Fish with { Seed = 42 }).Resolve(Limits);

        Assert.Equal(
            new VideoRequest("A red fish")
            {
                NegativePrompt = "blurry",
                Width = 64,
                Height = 48,
                FrameCount = 17,
                FramesPerSecond = 8,
                Steps = 20,
                GuidanceScale = 5,
                GuidanceInterval = SigmaInterval.All,
                GuidanceRescale = 0,
                Shift = 3,
                Sampler = Sampler.UniPC,
                Seed = 42,
            },
            resolved);
    }

    [Fact]
    public void AModelMayHaveAnIntervalOfItsOwn()
    {
        ModelLimits limits = Limits with { GuidanceInterval = new(0.7f, 1) };
        Assert.Equal(new SigmaInterval(0.7f, 1), Fish.Resolve(limits).GuidanceInterval);
        Assert.Equal(SigmaInterval.All, (Fish with { GuidanceInterval = SigmaInterval.All }).Resolve(limits).GuidanceInterval);
    }

    [Fact]
    public void WhatIsSetIsKept()
    {
        VideoRequest full = Fish with
        {
            NegativePrompt = "",
            Width = 80,
            Height = 96,
            FrameCount = 5,
            FramesPerSecond = 24,
            Steps = 3,
            GuidanceScale = 1,
            GuidanceInterval = new(0.25f, 0.75f),
            GuidanceRescale = 0.7f,
            Shift = 1,
            Sampler = Sampler.Euler,
            Seed = 7,
        };
        Assert.Equal(full, full.Resolve(Limits));
    }

    [Theory]
    [InlineData("0.2:0.8", 0.2f, 0.8f)]
    [InlineData("0:1", 0, 1)]
    [InlineData("0.5:0.5", 0.5f, 0.5f)]
    public void AnIntervalReadsBackFromItsText(string text, float low, float high)
    {
        Assert.Equal(new SigmaInterval(low, high), SigmaInterval.Parse(text));
        Assert.Equal(text, SigmaInterval.Parse(text).ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("0.5")]
    [InlineData("0.2:0.5:0.8")]
    [InlineData("low:high")]
    [InlineData(":")]
    public void WhatIsNoIntervalIsABadRequest(string text) =>
        Assert.Contains("is not a guidance interval", Assert.Throws<SoraException>(() => SigmaInterval.Parse(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void AnOpenSeedIsDrawnAndReported()
    {
        long[] seeds = [.. Enumerable.Range(0, 8).Select(_ => Fish.Resolve(Limits).Seed!.Value)];
        Assert.All(seeds, seed => Assert.InRange(seed, 0, 999_999_999));
        Assert.True(seeds.Distinct().Count() > 1);
    }

    [Theory]
    [InlineData(70, "Width 70 is not a multiple of 16; nearest: 64, 80.")]
    [InlineData(5, "Width 5 is not a multiple of 16; nearest: 16.")]
    [InlineData(16383, "Width 16383 is not a multiple of 16; nearest: 16368, 16384.")]
    public void AWidthOffTheStrideIsNamedWithTheNearest(int width, string message) =>
        Assert.Equal(message, Assert.Throws<SoraException>(() => (Fish with { Width = width }).Resolve(Limits)).Message);

    [Theory]
    [InlineData(80, "FrameCount 80 is not 4n + 1; nearest: 77, 81.")]
    [InlineData(2, "FrameCount 2 is not 4n + 1; nearest: 1, 5.")]
    [InlineData(1_000_000, "FrameCount 1000000 is not 4n + 1; nearest: 999997.")]
    public void ALengthOffTheStrideIsNamedWithTheNearest(int frames, string message) =>
        Assert.Equal(message, Assert.Throws<SoraException>(() => (Fish with { FrameCount = frames }).Resolve(Limits)).Message);

    [Fact]
    public void EveryBadValueIsNamedAtOnce()
    {
        string message = Assert.Throws<SoraException>(
            () => (Fish with { Width = 70, Height = 50, FrameCount = 4 }).Resolve(Limits)).Message;
        Assert.Equal(
            "Width 70 is not a multiple of 16; nearest: 64, 80. Height 50 is not a multiple of 16; nearest: 48, 64. "
            + "FrameCount 4 is not 4n + 1; nearest: 1, 5.",
            message);
    }

    [Fact]
    public void TheNearestValuesThatAnErrorNamesAreAccepted()
    {
        foreach (int width in new[] { 16, 64, 80, 16384 })
            Assert.Equal(width, (Fish with { Width = width }).Resolve(Limits).Width);
        foreach (int frames in new[] { 1, 5, 77, 81, 999_997 })
            Assert.Equal(frames, (Fish with { FrameCount = frames }).Resolve(Limits).FrameCount);
    }
}
