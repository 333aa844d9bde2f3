using Sora.Training;
using Sora.Training.Data;
using Xunit;

namespace Sora.Tests.Training.Data;

public class ClipSizeTests
{
    private static readonly ClipStrides s_strides = new(16, 4);

    [Theory]
    [InlineData(1920, 1080, 160, 96)]
    [InlineData(1080, 1920, 96, 160)]
    [InlineData(640, 480, 144, 112)]
    [InlineData(100, 60, 96, 64)]     // Not enlarged, but for the rounding.
    [InlineData(16, 16, 16, 16)]
    [InlineData(4000, 4000, 128, 128)]
    public void AFileKeepsItsAspectRatioWithinTheArea(int width, int height, int expectedWidth, int expectedHeight) =>
        Assert.Equal((expectedWidth, expectedHeight), NativeSize.Of(width, height, 16, 128 * 128));

    [Theory]
    [InlineData(1, 1)]
    [InlineData(15, 400)]
    [InlineData(10_000, 100)]
    public void AFileWithASideBelowAStrideHasNoSize(int width, int height) =>
        Assert.Null(NativeSize.Of(width, height, 16, 128 * 128));

    [Fact]
    public void EverySizeIsValidAndNearItsFile()
    {
        var random = new Random(1);
        for (int i = 0; i < 2000; i++)
        {
            int width = random.Next(48, 3000), height = random.Next(Math.Max(48, width / 3), width * 3);
            (int w, int h) = NativeSize.Of(width, height, 16, 128 * 128)!.Value;
            Assert.True(w % 16 == 0 && h % 16 == 0 && w * h <= 128 * 128, $"{width}×{height} became {w}×{h}");
            // Half a stride of each side at most, and a whole one of one of them where the area asked for it.
            double turned = Math.Abs(Math.Log(w / (double)h / (width / (double)height)));
            Assert.True(turned < 24.0 / Math.Min(w, h), $"{width}×{height} became {w}×{h}");
        }
    }

    [Fact]
    public void ShotsAreDividedAndRoundedToTheStride()
    {
        var shapes = new ClipShapes { LeastFrames = 5, MostFrames = 17 };
        // 45 frames: 17, 17 and 9 of the 11 that are left. After the cut: its first frame is left out, 5 of 8.
        Assert.Equal([(0, 17), (17, 17), (34, 9), (46, 5)], new ScannedFile(64, 64, false, 54, [45]).Clips(shapes, s_strides));
        Assert.Equal([(0, 1)], new ScannedFile(64, 64, true, 1, []).Clips(shapes, s_strides));
        Assert.Empty(new ScannedFile(64, 64, false, 4, []).Clips(shapes, s_strides));
    }

    [Fact]
    public void DrawnShapesCoverTheRangeAndStayInIt()
    {
        var shapes = new ClipShapes();
        ClipShape[] drawn = [.. Enumerable.Range(0, 3000).Select(i => shapes.Draw(s_strides, 7, (ulong)i, picture: i % 3 == 0))];
        Assert.All(drawn, shape =>
        {
            Assert.True(shape.Width % 16 == 0 && shape.Height % 16 == 0 && shape.Frames % 4 == 1);
            Assert.InRange(shape.Width * shape.Height, 48 * 48, 128 * 128);
            Assert.InRange(shape.Width / (double)shape.Height, 9 / 16.0, 16 / 9.0);
            Assert.InRange(shape.Frames, 1, 33);
        });
        Assert.Equal([1, 5, 9, 13, 17, 21, 25, 29, 33], drawn.Select(shape => shape.Frames).Distinct().Order());
        Assert.Contains(drawn, shape => shape is { Width: 48, Height: 48 });
        Assert.Contains(drawn, shape => shape is { Width: 128, Height: 128 });
        Assert.Contains(drawn, shape => shape.Width > 1.5 * shape.Height);
        Assert.Contains(drawn, shape => shape.Height > 1.5 * shape.Width);
        Assert.Equal(shapes.Draw(s_strides, 7, 12, false), shapes.Draw(s_strides, 7, 12, false));
    }

    [Fact]
    public void LimitsThatLeaveNothingAreNamed()
    {
        Assert.Contains("least_area 12 is out of range", Assert.Throws<SoraException>(() => new ClipShapes { LeastArea = 12 }).Message, StringComparison.Ordinal);
        var narrow = new ClipShapes { LeastArea = 100, MostArea = 200 };
        Assert.Contains("multiples of 16", Assert.Throws<SoraException>(() => narrow.Draw(s_strides, 1, 1, true)).Message, StringComparison.Ordinal);
        var few = new ClipShapes { LeastFrames = 6, MostFrames = 8 };
        Assert.Contains("most_frames 9", Assert.Throws<SoraException>(() => few.Draw(s_strides, 1, 1, false)).Message, StringComparison.Ordinal);
    }
}
