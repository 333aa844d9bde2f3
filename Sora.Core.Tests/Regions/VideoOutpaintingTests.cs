using Sora.Frames;
using Sora.Regions;
using Sora.Tests.Conditioning;
using Sora.Tests.Engine;
using Sora.Tests.Generation;
using Xunit;

namespace Sora.Tests.Regions;

/// <summary>Canvases that grow: where the given pixels lie, and that they are the given ones.</summary>
[Collection(LiveTensors.Name)]
public sealed class VideoOutpaintingTests : TinyGenerator
{
    private static readonly VideoRequest Fish = new("a red fish") { Seed = 42, Steps = 1 };

    [Theory]
    [InlineData(CanvasPosition.Center, 14, 5)]
    [InlineData(CanvasPosition.Left, 0, 5)]
    [InlineData(CanvasPosition.Right, 28, 5)]
    [InlineData(CanvasPosition.Top, 14, 0)]
    [InlineData(CanvasPosition.Bottom, 14, 10)]
    [InlineData(CanvasPosition.TopLeft, 0, 0)]
    [InlineData(CanvasPosition.TopRight, 28, 0)]
    [InlineData(CanvasPosition.BottomLeft, 0, 10)]
    [InlineData(CanvasPosition.BottomRight, 28, 10)]
    public async Task TheGivenPixelsComeBackWhereTheyWerePut(CanvasPosition position, int left, int top)
    {
        // A size that the model cannot make.
        IReadOnlyList<VideoFrame> video = TestFrames.Video(position == CanvasPosition.Center ? 5 : 1, 20, 22);
        var outpainting = new VideoOutpainting([.. video], 48, 32) { Position = position };
        List<VideoFrame> frames = await outpainting.StreamAsync(Generator, Fish).ToListAsync();
        Assert.Equal(video.Count, frames.Count);
        foreach ((VideoFrame given, VideoFrame made) in video.Zip(frames))
        {
            Assert.Equal((48, 32), (made.Width, made.Height));
            for (int y = 0; y < 22; y++)
                Assert.Equal(given.Rgb.Span.Slice(3 * y * 20, 60).ToArray(), made.Rgb.Span.Slice(3 * (((top + y) * 48) + left), 60).ToArray());
        }
        // The rest is neither empty nor the edge's pixels drawn out.
        VideoRequest checkedRequest = outpainting.Check(Fish, Generator.Limits);
        byte[] drawn = TestMasks.Pixels(checkedRequest.Source!, checkedRequest.Mask!, kept: false), around = TestMasks.Pixels(frames, checkedRequest.Mask!, kept: false);
        Assert.True(around.Distinct().Count() > 20);
        Assert.True(around.Zip(drawn, (a, b) => a != b ? 1.0 : 0).Average() > 0.9);
    }

    [Fact]
    public void TheRecordTellsWhatWasDone()
    {
        var outpainting = new VideoOutpainting([TestFrames.Create(1)], 64, 32) { Position = CanvasPosition.TopRight };
        GenerationRecord record = outpainting.RecordOf(Generator, Fish);
        Assert.Equal("outpaint 32x32 at top-right", record.Capability);
        Assert.Equal((64, 32, 1), (record.Request.Width, record.Request.Height, record.Request.FrameCount));
        Assert.NotEqual(record.GivenFrames, (outpainting with { Position = CanvasPosition.Left }).RecordOf(Generator, Fish).GivenFrames);
    }

    public static TheoryData<Func<ModelLimits, object>, string> BadRequests => new()
    {
        { _ => new VideoOutpainting([], 64, 64), "Video has no frames; at least one is needed." },
        { _ => new VideoOutpainting([TestFrames.Create(0)], 0, 64), "Width 0 is out of range; allowed: 1 to 16384, nearest: 1." },
        { limits => Grow(48, 16).Check(Fish, limits), "The canvas of 48x16 is smaller than the video of 32x32; nearest: 48x32." },
        { limits => Grow(32, 32).Check(Fish, limits), "The canvas of 32x32 is as large as the video: nothing would be added." },
        { limits => Grow(40, 32).Check(Fish, limits), "Width 40 is not a multiple of 16; nearest: 32, 48." },
        { limits => Grow(48, 32).Check(Fish with { Width = 64 }, limits), "The canvas is 48x32 and the request asks for 64x32; they must be equal." },
        { limits => Grow(48, 32).Check(Fish with { Loop = true }, limits), "The request has a source, a mask or a loop of its own" },
        { limits => new VideoOutpainting([.. TestFrames.Video(4)], 48, 32).Check(Fish, limits), "FrameCount 4 is not 4n + 1; nearest: 1, 5." },
        { _ => CanvasPositionNames.Parse("centre"), "Position 'centre' is unknown; known: center, left, right, top, bottom, top-left, top-right, bottom-left, bottom-right, nearest: center." },
    };

    [Theory]
    [MemberData(nameof(BadRequests), DisableDiscoveryEnumeration = true)]
    public void WhatCannotBeMadeIsRefusedWithTheReason(Func<ModelLimits, object> make, string message) =>
        Assert.Contains(message, Assert.Throws<SoraException>(() => make(Generator.Limits)).Message, StringComparison.Ordinal);

    private static VideoOutpainting Grow(int width, int height) => new([TestFrames.Create(0)], width, height);
}
