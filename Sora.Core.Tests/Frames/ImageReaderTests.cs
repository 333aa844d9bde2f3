using Sora.Frames;
using Xunit;

namespace Sora.Tests.Frames;

public sealed class ImageReaderTests
{
    private static readonly byte[] Sprite =
    [
        255, 0, 0, 255, 0, 255, 0, 128,
        10, 20, 30, 0, 200, 100, 50, 51,
    ];

    [Fact]
    public void Alpha_is_read_exactly()
    {
        using var scratch = new Scratch();
        WriteSprite(scratch);
        (int width, int height, byte[] rgba) = ImageReader.ReadRgba(scratch["sprite.png"]);
        Assert.Equal((2, 2), (width, height));
        Assert.Equal(Sprite, rgba);
    }

    [Fact]
    public void Without_alpha_a_picture_lies_on_black()
    {
        using var scratch = new Scratch();
        WriteSprite(scratch);
        byte[] rgb = ImageReader.Read(scratch["sprite.png"]).Rgb.ToArray();
        byte[] expected = [255, 0, 0, 0, 128, 0, 0, 0, 0, 40, 20, 10];
        Assert.All(expected.Zip(rgb), pair => Assert.InRange(pair.Second, pair.First - 1, pair.First + 1));
    }

    [Fact]
    public void Opaque_pictures_have_alpha_255()
    {
        using var scratch = new Scratch();
        TestClip.Write(scratch["opaque.png"], 9, 7, 1);
        (_, _, byte[] rgba) = ImageReader.ReadRgba(scratch["opaque.png"]);
        Assert.All(rgba.Where((_, i) => i % 4 == 3), alpha => Assert.Equal(255, alpha));
        Assert.Equal(TestClip.Frame(0, 9, 7), rgba.Where((_, i) => i % 4 != 3));
    }

    private static void WriteSprite(Scratch scratch)
    {
        File.WriteAllBytes(scratch["sprite.rgba"], Sprite);
        Scratch.FFmpeg(
            "-f", "rawvideo", "-pixel_format", "rgba", "-video_size", "2x2", "-i", scratch["sprite.rgba"],
            "-frames:v", "1", "-update", "1", scratch["sprite.png"]);
    }
}
