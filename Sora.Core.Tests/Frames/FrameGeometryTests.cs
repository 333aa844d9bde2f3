using Sora.Frames;
using Xunit;

namespace Sora.Tests.Frames;

public sealed class FrameGeometryTests
{
    [Theory]
    [InlineData(1920, 1080, null, null, FrameFit.Crop, 1920, 1080, 1920, 1080)]
    [InlineData(1920, 1080, 64, 64, FrameFit.Crop, 64, 64, 114, 64)]
    [InlineData(1080, 1920, 64, 64, FrameFit.Crop, 64, 64, 64, 114)]
    [InlineData(1920, 1080, 64, 64, FrameFit.Pad, 64, 64, 64, 36)]
    [InlineData(1080, 1920, 64, 64, FrameFit.Pad, 64, 64, 36, 64)]
    [InlineData(1920, 1080, 64, 64, FrameFit.Stretch, 64, 64, 64, 64)]
    [InlineData(1920, 1080, 480, null, FrameFit.Crop, 480, 270, 480, 270)]
    [InlineData(1920, 1080, null, 270, FrameFit.Pad, 480, 270, 480, 270)]
    [InlineData(10000, 1, 64, null, FrameFit.Crop, 64, 1, 64, 1)]
    [InlineData(10000, 1, 64, 64, FrameFit.Pad, 64, 64, 64, 1)]
    public void Size_and_scale_follow_from_the_fit(
        int sourceWidth, int sourceHeight, int? width, int? height, FrameFit fit, int w, int h, int scaledW, int scaledH) =>
        Assert.Equal(
            new FrameGeometry(w, h, scaledW, scaledH), FrameGeometry.Plan(sourceWidth, sourceHeight, width, height, fit));

    [Fact]
    public void Options_and_frames_validate_themselves()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new VideoReadOptions { Width = 0 });
        Assert.Throws<ArgumentOutOfRangeException>(() => new VideoReadOptions { MaxFrames = -1 });
        Assert.Throws<ArgumentOutOfRangeException>(() => new VideoReadOptions { Start = TimeSpan.FromSeconds(-1) });
        Assert.Throws<ArgumentException>(() => new VideoReadOptions { FrameRate = default(FrameRate) });
        Assert.Throws<ArgumentException>(() => new VideoFrame(0, 2, 2, new byte[11], TimeSpan.Zero));
        Assert.Throws<ArgumentException>(
            () => new VideoWriterOptions { Metadata = new Dictionary<string, string> { ["a=b"] = "c" } });
    }
}
