using Sora.Conditioning;
using Sora.Continuation;
using Sora.Frames;
using Sora.Tests.Conditioning;
using Sora.Tests.Engine;
using Sora.Tests.Generation;
using Sora.Tests.Weights;
using Sora.Weights;
using Xunit;

namespace Sora.Tests.Continuation;

/// <summary>Videos made longer, connected and closed to loops: which frames come out, in which order, and what is refused.</summary>
[Collection(LiveTensors.Name)]
public sealed class ContinuationTests : TinyGenerator
{
    private static readonly VideoRequest Fish = new("a red fish swims left") { Seed = 42, Steps = 2, FrameCount = 9 };

    [Theory]
    [InlineData(ExtensionDirection.Forward, 6, 3)]
    [InlineData(ExtensionDirection.Forward, 1, 11)] // several windows from a single picture
    [InlineData(ExtensionDirection.Backward, 6, 3)]
    [InlineData(ExtensionDirection.Backward, 2, 11)]
    [InlineData(ExtensionDirection.Both, 10, 7)]
    public async Task TheGivenFramesComeBackUnchangedAndTheOthersAreAdded(ExtensionDirection direction, int given, int added)
    {
        IReadOnlyList<VideoFrame> video = TestFrames.Video(given);
        var extension = new VideoExtension([.. video], added) { Direction = direction };
        List<VideoFrame> frames = await extension.StreamAsync(Generator, Fish).ToListAsync();
        int before = direction == ExtensionDirection.Forward ? 0 : added, after = direction == ExtensionDirection.Backward ? 0 : added;
        Assert.Equal(before + given + after, frames.Count);
        Assert.Equal(Pixels.Of(video), Pixels.Of(frames.Skip(before).Take(given)));
        Assert.Equal(Enumerable.Range(0, frames.Count), frames.Select(frame => frame.Index));
        Assert.Equal(frames.Select(frame => TimeSpan.FromSeconds(frame.Index / 8.0)), frames.Select(frame => frame.Timestamp));
        // What is added is not one picture again and again.
        byte[][] generated = [.. frames.Take(before).Concat(frames.Skip(before + given)).Select(frame => frame.Rgb.ToArray())];
        Assert.True(generated.Zip(generated.Skip(1)).All(pair => !pair.First.AsSpan().SequenceEqual(pair.Second)));
        Assert.Equal(Pixels.Of(frames), Pixels.Of(await extension.StreamAsync(Generator, Fish).ToListAsync()));
        Assert.NotEqual(Pixels.Of(frames), Pixels.Of(await extension.StreamAsync(Generator, Fish with { Seed = 43 }).ToListAsync()));
    }

    [Fact]
    public async Task ALongerExtensionBeginsLikeAShorterOne()
    {
        // Up to the last window of the shorter one, which is cut to what it needs.
        ValueList<VideoFrame> video = [.. TestFrames.Video(5)];
        List<VideoFrame> little = await new VideoExtension(video, 4) { OverlapFrames = 5 }.StreamAsync(Generator, Fish).ToListAsync();
        List<VideoFrame> much = await new VideoExtension(video, 12) { OverlapFrames = 5 }.StreamAsync(Generator, Fish).ToListAsync();
        Assert.Equal(Pixels.Of(little), Pixels.Of(much.Take(9)));
    }

    [Fact]
    public async Task AConnectionHoldsBothVideosAroundItsPassage()
    {
        VideoFrame[] all = [.. TestFrames.Video(13)];
        var connection = new VideoConnection([.. all[..6]], [.. all[6..]], 8);
        List<VideoFrame> frames = await connection.StreamAsync(Generator, Fish).ToListAsync();
        Assert.Equal(21, frames.Count);
        Assert.Equal(Pixels.Of(all[..6]), Pixels.Of(frames.Take(6)));
        Assert.Equal(Pixels.Of(all[6..]), Pixels.Of(frames.Skip(14)));
        // The second video changes the passage, from its end at least.
        List<VideoFrame> other = await new VideoConnection([.. all[..6]], [.. all[..6]], 8).StreamAsync(Generator, Fish).ToListAsync();
        Assert.NotEqual(frames[13].Rgb.ToArray(), other[13].Rgb.ToArray());
    }

    [Fact]
    public async Task AClosedVideoIsTheVideoAndAPassage()
    {
        IReadOnlyList<VideoFrame> video = TestFrames.Video(3);
        List<VideoFrame> frames = await new VideoLoop([.. video], 4).StreamAsync(Generator, Fish).ToListAsync();
        Assert.Equal(7, frames.Count);
        Assert.Equal(Pixels.Of(video), Pixels.Of(frames.Take(3)));
    }

    [Theory]
    [InlineData(5, 4)]
    [InlineData(9, 8)]
    [InlineData(17, 16)]
    public async Task ALoopHasOneFrameLess(int asked, int made)
    {
        await using GeneratedVideo video = await Generator.GenerateAsync(Fish with { FrameCount = asked, Loop = true });
        Assert.Equal(made, video.Frames.Count);
        Assert.Equal(Enumerable.Range(0, made), video.Frames.Select(frame => frame.Index));
    }

    public static TheoryData<Func<VideoGenerator, object>, string> BadRequests => new()
    {
        { _ => new VideoExtension([], 4), "Video has no frames; at least one is needed." },
        { _ => new VideoExtension([.. TestFrames.Video(2)], 0), "AddedFrames 0 is out of range; allowed: 1 to 1000000, nearest: 1." },
        { _ => new VideoExtension([.. TestFrames.Video(2), TestFrames.Create(0, 48, 32)], 4), "Video has frames of 32x32 and of 48x32; they must be equal." },
        { g => new VideoExtension([TestFrames.Create(0, 40, 32)], 4).Check(Fish, g.Limits), "Width 40 is not a multiple of 16; nearest: 32, 48." },
        { g => new VideoExtension([TestFrames.Create(0)], 4).Check(Fish with { Width = 48 }, g.Limits), "The given frames are 32x32 and the request asks for 48x32; they must be equal." },
        { g => new VideoExtension([TestFrames.Create(0)], 4).Check(Fish with { FrameCount = 1 }, g.Limits), "FrameCount 1 is too short for a window, which begins with known frames; nearest: 5." },
        { g => new VideoExtension([TestFrames.Create(0)], 4).Check(Fish with { Loop = true }, g.Limits), "The request has known frames, a source or a loop of its own" },
        { g => new VideoExtension([TestFrames.Create(0)], 4) { Direction = ExtensionDirection.Backward }.Check(Fish, g.Limits with { KnownFrames = KnownFrameRule.First }), "This model starts from a first frame, and cannot extend a video backward; nearest: forward." },
        { _ => new VideoLoop([], 4), "Video has no frames; at least one is needed" },
        { _ => new VideoLoop([TestFrames.Create(0)], 0), "GapFrames 0 is out of range; allowed: 1 to 1000000, nearest: 1." },
        { g => new VideoConnection([TestFrames.Create(0)], [TestFrames.Create(1)], 6).Check(Fish, g.Limits), "GapFrames 6 does not fill whole latent frames; nearest: 4, 8." },
        { g => new VideoConnection([TestFrames.Create(0)], [TestFrames.Create(1, 48, 32)], 4).Check(Fish, g.Limits), "First is 32x32 and Second 48x32; they must be equal." },
        { g => new VideoConnection([TestFrames.Create(0)], [TestFrames.Create(1)], 4).Check(Fish, g.Limits with { KnownFrames = KnownFrameRule.First }), "This model can be told the first frame alone, and cannot connect videos; nearest: extend." },
        { g => (Fish with { Loop = true, FrameCount = 1 }).Resolve(g.Limits), "FrameCount 1 is no loop; nearest: 5." },
        { g => (Fish with { Loop = true, KnownFrames = [new(0, TestFrames.Create(0))] }).Resolve(g.Limits), "A loop from a prompt has no known frames and no source" },
        { g => (Fish with { VariationStrength = 0.5 }).Resolve(g.Limits), "VariationStrength is given without a VariationSeed" },
        { _ => Fish with { VariationStrength = 1.5 }, "VariationStrength 1.5 is out of range; allowed: 0 to 1, nearest: 1." },
    };

    [Theory]
    [MemberData(nameof(BadRequests), DisableDiscoveryEnumeration = true)]
    public void WhatCannotBeMadeIsRefusedWithTheReason(Func<VideoGenerator, object> make, string message) =>
        Assert.Contains(message, Assert.Throws<SoraException>(() => make(Generator)).Message, StringComparison.Ordinal);

    [Fact]
    public async Task ModelsThatTakeAFirstFrameExtendForward()
    {
        using var folder = new TemporaryFolder();
        TinyModel.Create(folder.Path, TinyModel.Transformer with { InChannels = 12 });
        using VideoGenerator generator = await TinyModel.LoadAsync(folder.Path);
        IReadOnlyList<VideoFrame> video = TestFrames.Video(3);
        List<VideoFrame> frames = await new VideoExtension([.. video], 10).StreamAsync(generator, Fish).ToListAsync();
        Assert.Equal(Pixels.Of(video), Pixels.Of(frames.Take(3)));
        Assert.Equal(13, frames.Count);
        GenerationRecord record = new VideoExtension([.. video], 10).RecordOf(generator, Fish);
        Assert.Equal(("extend", 10), (record.Capability, record.AddedFrames));
        // First and last frame: a passage of 4n − 1.
        Assert.Equal(9, (await new VideoConnection([.. video], [.. video], 3).StreamAsync(generator, Fish).ToListAsync()).Count);
    }

    [Fact]
    public async Task ASmallVariationStaysNearAndALargeOneIsTheOther()
    {
        VideoRequest fish = Fish with { FrameCount = 5 };
        byte[] first = await Pixels.OfAsync(Generator, fish), second = await Pixels.OfAsync(Generator, fish with { Seed = 7 });
        VideoRequest varied = fish with { VariationSeed = 7 };
        Assert.Equal(first, await Pixels.OfAsync(Generator, varied with { VariationStrength = 0 }));
        Assert.Equal(second, await Pixels.OfAsync(Generator, varied with { VariationStrength = 1 }));
        double little = Difference(first, await Pixels.OfAsync(Generator, varied with { VariationStrength = 0.05 }));
        double more = Difference(first, await Pixels.OfAsync(Generator, varied with { VariationStrength = 0.4 })), all = Difference(first, second);
        Assert.True(little > 0 && little < 0.5 * more && more < all, $"{little:F2}, {more:F2} and {all:F2} at strengths 0.05, 0.4 and 1");
    }

    private static double Difference(byte[] a, byte[] b) => a.Zip(b, (x, y) => Math.Abs(x - y)).Average();
}
