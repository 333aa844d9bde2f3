using Sora.Conditioning;
using Sora.Continuation;
using Xunit;

namespace Sora.Tests.Continuation;

/// <summary>Where the windows of long videos begin and end, counted by hand.</summary>
public sealed class WindowPlanTests
{
    private static readonly ModelLimits Limits = new()
    {
        SpatialStride = 16, TemporalStride = 4, Width = 32, Height = 32, FrameCount = 17, FramesPerSecond = 8,
        Steps = 4, GuidanceScale = 1, Shift = 1, Sampler = Sampler.Euler,
    };

    private static readonly VideoRequest Fish = new("a fish");

    [Theory]
    [InlineData(65, null)] // as long as a video was one window, it is
    [InlineData(69, 17)]
    [InlineData(1, null)]
    public void BeyondSixtyFiveFramesAVideoHasWindowsOfTheModelsLength(int frames, int? window)
    {
        VideoRequest resolved = (Fish with { FrameCount = frames }).Resolve(Limits);
        Assert.Equal((window is not null, window), (resolved.IsInWindows, resolved.WindowFrames));
        // A model made for more has one window up to there.
        Assert.False((Fish with { FrameCount = 81 }).Resolve(Limits with { FrameCount = 81 }).IsInWindows);
        Assert.False((Fish with { FrameCount = 129, WindowFrames = 129 }).Resolve(Limits).IsInWindows);
        Assert.True((Fish with { FrameCount = 17, WindowFrames = 9 }).Resolve(Limits).IsInWindows);
        Assert.Equal(resolved, resolved.Resolve(Limits));
    }

    [Fact]
    public void WindowsBeginWithTheEndOfTheOneBefore()
    {
        // Eleven latent frames; windows of five, of which three are taken over.
        Assert.Equal(
            [(0, 17, 5, 0, 0), (17, 25, 5, 3, 2), (25, 33, 5, 3, 4), (33, 41, 5, 3, 6)],
            Windows(Fish with { FrameCount = 41, WindowFrames = 17 }));
        // No more than half a window is taken over; the last window is as long as it needs to be.
        Assert.Equal(
            [(0, 9, 3, 0, 0), (9, 13, 3, 2, 1), (13, 17, 3, 2, 2)],
            Windows(Fish with { FrameCount = 17, WindowFrames = 9, OverlapFrames = 100 }));
        // One frame alone.
        Assert.Equal(
            [(0, 9, 3, 0, 0), (9, 17, 3, 1, 2), (17, 21, 2, 1, 4)],
            Windows(Fish with { FrameCount = 21, WindowFrames = 9, OverlapFrames = 1 }));
        // Models that take a first frame.
        Assert.Equal(
            [(0, 9, 3, 0, 0), (9, 17, 3, 1, 2)],
            Windows(Fish with { FrameCount = 17, WindowFrames = 9 }, Limits with { KnownFrames = KnownFrameRule.First }));
    }

    [Fact]
    public void AWindowHasOnePrompt()
    {
        VideoRequest board = Fish with { FrameCount = 25, LaterPrompts = [new(8, "a cat"), new(16, "a dog") { Cut = true }] };
        // Frame 8 lies in the latent frame of 5 to 8; 9 is nearest. The cut is at 16 exactly: what its window makes up to 20 is left out.
        Assert.Equal([(0, 9, 3, 0, 0), (9, 16, 5, 3, 0), (16, 25, 3, 0, 5)], Windows(board));
        Assert.Equal(["a fish", "a cat", "a dog"], WindowPlan.Of(board.Resolve(Limits), Limits).Select(window => window.Prompt));
        Assert.Equal([false, false, false], WindowPlan.Of(board.Resolve(Limits), Limits).Select(window => window.BeginsWithPicture));
    }

    [Theory]
    [InlineData(6, 5)]
    [InlineData(7, 9)]
    [InlineData(9, 9)]
    [InlineData(10, 9)]
    [InlineData(2, 1)]
    public void AChangeFallsOnTheNearestFrame(int asked, int made) =>
        Assert.Equal(made, Windows(Fish with { FrameCount = 17, LaterPrompts = [new(asked, "a cat")] })[1].First);

    [Fact]
    public void KnownFramesGoToTheWindowThatMakesThem()
    {
        Sora.Frames.VideoFrame[] frames = [.. Sora.Tests.Conditioning.TestFrames.Video(9)];
        VideoRequest request = (Fish with { FrameCount = 41, WindowFrames = 17, KnownFrames = [new(3, frames[0]), new(18, frames[1]), new(40, frames[2])] }).Resolve(Limits);
        (int[] Places, int Frames)[] known =
            [.. WindowPlan.Of(request, Limits).Select(window => window.RequestOf(request, 4, frames)).Select(one => (one.KnownFrames.Select(frame => frame.Index).ToArray(), one.FrameCount!.Value))];
        Assert.Equal([3], known[0].Places);
        Assert.Equal([.. Enumerable.Range(0, 9), 10], known[1].Places); // the overlap, which the encoder sees before it, and 18 − 8
        Assert.Equal([0], known[2].Places);
        Assert.Equal([.. Enumerable.Range(0, 9), 16], known[3].Places);
    }

    private static (int First, int End, int Latents, int Known, int FirstLatent)[] Windows(VideoRequest request, ModelLimits? limits = null)
    {
        ModelLimits of = limits ?? Limits;
        VideoRequest resolved = request.Resolve(of with { KnownFrames = KnownFrameRule.Any });
        return [.. WindowPlan.Of(resolved, of).Select(window => (window.FirstFrame, window.EndFrame, window.Latents, window.Known, window.FirstLatent))];
    }
}
