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

    [Fact]
    public void Many_are_read_at_once_as_one_by_one()
    {
        using var scratch = new Scratch();
        WriteSprite(scratch);
        TestClip.Write(scratch["opaque.png"], 9, 7, 1);
        TestClip.Write(scratch["opaque too.png"], 9, 5, 1);
        TestClip.Write(scratch["picture.jpg"], 16, 8, 1);
        TestClip.Write(scratch["large.png"], 9, 600, 1);
        Scratch.FFmpeg("-i", scratch["opaque.png"], "-pix_fmt", "ya8", scratch["grey.png"]);
        Scratch.FFmpeg("-i", scratch["opaque.png"], "-vf", "crop=2:3", "-pix_fmt", "pal8", scratch["palette.png"]);
        string[] paths = [.. new[] { "opaque.png", "sprite.png", "grey.png", "picture.jpg", "large.png", "palette.png", "opaque too.png", "opaque.png" }.Select(name => scratch[name])];
        Assert.Equal(paths.Select(path => ImageReader.ReadRgba(path)), PictureStack.Read(paths), (one, other) =>
            (one.Width, one.Height) == (other.Width, other.Height) && one.Rgba.AsSpan().SequenceEqual(other.Rgba));
    }

    [Fact]
    public void Many_take_one_process()
    {
        using var scratch = new Scratch();
        string ffmpeg = scratch.Stub($"echo asked >> '{scratch["log"]}'; exec '{FFmpegTools.FromEnvironment().FindFFmpeg()}' \"$@\"").FFmpeg!;
        string[] paths = [.. Enumerable.Range(0, 5).Select(i => scratch[$"{i}.png"])];
        for (int i = 0; i < paths.Length; i++)
            TestClip.Write(paths[i], 9, 5 + i, 1);
        (int Width, int Height, byte[] Rgba)[] pictures = PictureStack.Read(paths, new FFmpegTools(ffmpeg, "/nowhere/ffprobe"), default);
        Assert.Equal([5, 6, 7, 8, 9], pictures.Select(picture => picture.Height));
        Assert.Single(File.ReadAllLines(scratch["log"]));
    }

    [Fact]
    public void One_that_is_damaged_is_named()
    {
        using var scratch = new Scratch();
        TestClip.Write(scratch["whole.png"], 9, 7, 1);
        byte[] bytes = File.ReadAllBytes(scratch["whole.png"]);
        File.WriteAllBytes(scratch["half.png"], bytes[..(bytes.Length / 2)]);
        File.WriteAllBytes(scratch["header.png"], bytes[..30]);
        var error = Assert.Throws<SoraException>(() => PictureStack.Read([scratch["whole.png"], scratch["header.png"], scratch["whole.png"]]));
        Assert.Contains("header.png", error.Message, StringComparison.Ordinal);
        // Half of a picture is refused or not as it is alone.
        Exception? alone = Record.Exception(() => ImageReader.ReadRgba(scratch["half.png"]));
        Exception? among = Record.Exception(() => PictureStack.Read([scratch["whole.png"], scratch["half.png"]]));
        Assert.Equal(alone?.GetType(), among?.GetType());
        Assert.Equal(alone?.Message.Split('\n')[0], among?.Message.Split('\n')[0]);
    }

    private static void WriteSprite(Scratch scratch)
    {
        File.WriteAllBytes(scratch["sprite.rgba"], Sprite);
        Scratch.FFmpeg(
            "-f", "rawvideo", "-pixel_format", "rgba", "-video_size", "2x2", "-i", scratch["sprite.rgba"],
            "-frames:v", "1", "-update", "1", scratch["sprite.png"]);
    }
}
