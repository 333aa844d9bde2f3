using Sora.Conditioning;
using Sora.Frames;
using Sora.Tests.Frames;
using Sora.Weights;
using Xunit;

namespace Sora.Tests.Conditioning;

public class ClipImageProcessorTests
{
    [Theory]
    [InlineData(13, 9)]
    [InlineData(9, 13)]
    [InlineData(40, 3)]
    public void TheShorterSideIsFittedAndTheCentreRemains(int width, int height)
    {
        using DisposeScope scope = NewDisposeScope();
        var config = new ClipImageProcessorConfig { ShortestEdge = 6, CropSize = new(4, 5) };
        // Python's int(6 * longer / shorter), and its // for the offsets.
        int longer = 6 * Math.Max(width, height) / Math.Min(width, height);
        (int newWidth, int newHeight) = width > height ? (longer, 6) : (6, longer);
        VideoFrame frame = BicubicResizeTests.Picture(width, height);
        byte[] whole = BicubicResize.Apply(frame, newHeight, newWidth, 0, 0, new(newHeight, newWidth));
        Tensor resized = tensor(whole, [newHeight, newWidth, 3]).to(float32).permute(2, 0, 1);
        Tensor cut = resized.narrow(1, (newHeight - 4) / 2, 4).narrow(2, (newWidth - 5) / 2, 5);

        Tensor processed = new ClipImageProcessor(config).Process(frame, CPU);

        Assert.Equal([1, 3, 4, 5], processed.shape);
        AssertClose(Normalised(cut, config), processed);
    }

    [Fact]
    public void HeightAndWidthSqueezeTheWholePicture()
    {
        using DisposeScope scope = NewDisposeScope();
        var config = new ClipImageProcessorConfig { Size = new(4, 6), ImageMean = [0, 0.5, 1], ImageStd = [1, 2, 0.5] };
        VideoFrame one = BicubicResizeTests.Picture(17, 11), two = BicubicResizeTests.Picture(3, 8);
        Tensor processed = new ClipImageProcessor(config).Process([one, two], CPU);
        Assert.Equal([2, 3, 4, 6], processed.shape);
        foreach ((int i, VideoFrame frame) in (ReadOnlySpan<(int, VideoFrame)>)[(0, one), (1, two)])
        {
            Tensor resized = tensor(BicubicResize.Apply(frame, 4, 6, 0, 0, new(4, 6)), [4, 6, 3]).to(float32).permute(2, 0, 1);
            AssertClose(Normalised(resized, config), processed.narrow(0, i, 1));
        }
    }

    [Fact]
    public void NoFramesAreRefused() =>
        Assert.Throws<ArgumentException>(() => new ClipImageProcessor(new() { Size = new(4, 4) }).Process([], CPU));

    private static Tensor Normalised(Tensor bytes, ClipImageProcessorConfig config)
    {
        Tensor mean = tensor([.. config.ImageMean.Select(m => (float)m)], [3, 1, 1]), std = tensor([.. config.ImageStd.Select(s => (float)s)], [3, 1, 1]);
        return (((bytes / 255) - mean) / std).unsqueeze(0);
    }

    private static void AssertClose(Tensor expected, Tensor actual)
    {
        Assert.Equal(expected.shape, actual.shape);
        Assert.InRange((expected - actual).abs().max().item<float>(), 0, 1e-6f);
    }
}
