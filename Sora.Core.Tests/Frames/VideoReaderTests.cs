using System.Buffers.Binary;
using Sora.Frames;
using Xunit;

namespace Sora.Tests.Frames;

public sealed class VideoReaderTests
{
    private const int One = 0x10000;

    [Theory]
    [InlineData("clip.mp4")]
    [InlineData("clip.webm")]
    [InlineData("clip.gif")]
    public void Start_and_count_choose_the_frames(string name)
    {
        using var scratch = new Scratch();
        TestClip.Write(scratch[name], 64, 48, 17);
        VideoFrame[] some =
            [.. VideoReader.Read(scratch[name], new VideoReadOptions { Start = TimeSpan.FromSeconds(0.5), MaxFrames = 3 })];
        Assert.Equal(3, some.Length);
        for (int i = 0; i < 3; i++)
        {
            Assert.Equal(TimeSpan.FromSeconds(0.5 + (i / 8.0)), some[i].Timestamp);
            Assert.Equal(i, some[i].Index);
            Assert.InRange(TestClip.Psnr(TestClip.Frame(i + 4, 64, 48), some[i].Rgb.Span), 28, 200);
        }
    }

    [Theory]
    [InlineData(4, 8)]
    [InlineData(12, 24)]
    public void A_rate_repeats_or_leaves_out_frames(int rate, int count)
    {
        using var scratch = new Scratch();
        TestClip.Write(scratch["clip.mp4"], 32, 32, 16);
        VideoFrame[] frames = [.. VideoReader.Read(scratch["clip.mp4"], new VideoReadOptions { FrameRate = rate })];
        Assert.Equal(count, frames.Length);
        Assert.Equal(TimeSpan.FromSeconds((count - 1) / (double)rate), frames[^1].Timestamp);
        Assert.InRange(TestClip.Psnr(TestClip.Frame(0, 32, 32), frames[0].Rgb.Span), 36, 200);
    }

    [Fact]
    public void A_start_beyond_the_end_is_explained()
    {
        using var scratch = new Scratch();
        TestClip.Write(scratch["clip.mp4"], 32, 32, 8);
        SoraException error = Assert.Throws<SoraException>(
            () => VideoReader.Read(scratch["clip.mp4"], new VideoReadOptions { Start = TimeSpan.FromSeconds(5) }).Count());
        Assert.Contains("no frame at 5 s, it ends at 1 s", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_size_of_another_shape_is_cropped_padded_or_stretched()
    {
        using var scratch = new Scratch();
        WriteThirds(scratch["thirds.png"]);
        foreach (FrameFit fit in Enum.GetValues<FrameFit>())
        {
            var options = new VideoReadOptions { Width = 40, Height = 40, Fit = fit };
            VideoFrame frame = ImageReader.Read(scratch["thirds.png"], options);
            Assert.Equal((40, 40), (frame.Width, frame.Height));
            TestClip.AssertNear(fit == FrameFit.Crop ? (0, 255, 0) : (255, 0, 0), TestClip.At(frame, 3, 20), 2);
            TestClip.AssertNear((0, 255, 0), TestClip.At(frame, 20, 20), 2);
            TestClip.AssertNear(fit == FrameFit.Pad ? (0, 0, 0) : (0, 255, 0), TestClip.At(frame, 20, 3), 2);
        }
    }

    [Fact]
    public void One_side_keeps_the_proportions()
    {
        using var scratch = new Scratch();
        WriteThirds(scratch["thirds.png"]);
        VideoFrame byWidth = ImageReader.Read(scratch["thirds.png"], new VideoReadOptions { Width = 60 });
        VideoFrame byHeight = ImageReader.Read(scratch["thirds.png"], new VideoReadOptions { Height = 80 });
        Assert.Equal((60, 20, 240, 80), (byWidth.Width, byWidth.Height, byHeight.Width, byHeight.Height));
    }

    /// <summary>The eight ways a camera can be held, as EXIF numbers them.</summary>
    [Fact]
    public void A_photo_is_turned_upright()
    {
        using var scratch = new Scratch();
        WriteQuadrants(scratch["stored.jpg"]);
        byte[] stored = File.ReadAllBytes(scratch["stored.jpg"]);
        string[] upright = ["RGBW", "GRWB", "WBGR", "BWRG", "RBGW", "BRWG", "WGBR", "GWRB"];
        for (byte orientation = 1; orientation <= 8; orientation++)
        {
            File.WriteAllBytes(scratch["turned.jpg"], WithExif(stored, orientation));
            VideoFrame frame = ImageReader.Read(scratch["turned.jpg"]);
            Assert.Equal(orientation < 5 ? (48, 32) : (32, 48), (frame.Width, frame.Height));
            Assert.Equal((orientation, upright[orientation - 1]), (orientation, Corners(frame)));
        }
    }

    [Theory]
    [InlineData(-One, 0, 0, -One, "WBGR")]
    [InlineData(0, One, -One, 0, "BRWG")]
    [InlineData(0, -One, One, 0, "GWRB")]
    public void A_video_is_turned_upright(int a, int b, int c, int d, string corners)
    {
        using var scratch = new Scratch();
        WriteQuadrants(scratch["turned.mp4"]);
        File.WriteAllBytes(scratch["turned.mp4"], WithMatrix(File.ReadAllBytes(scratch["turned.mp4"]), a, b, c, d));
        VideoFrame frame = Assert.Single(VideoReader.Read(scratch["turned.mp4"]));
        VideoInfo info = VideoReader.Probe(scratch["turned.mp4"]);
        Assert.Equal(a != 0 ? (48, 32) : (32, 48), (frame.Width, frame.Height));
        Assert.Equal((frame.Width, frame.Height), (info.Width, info.Height));
        Assert.Equal(corners, Corners(frame));
    }

    [Fact]
    public void Pixels_that_are_not_square_are_made_so()
    {
        using var scratch = new Scratch();
        TestClip.Write(scratch["square.mp4"], 32, 48, 2);
        Scratch.FFmpeg("-i", scratch["square.mp4"], "-vf", "setsar=2/1", scratch["wide.mp4"]);
        VideoFrame frame = VideoReader.Read(scratch["wide.mp4"]).First();
        Assert.Equal((64, 48), (frame.Width, frame.Height));
    }

    [Fact]
    public void Every_pixel_format_can_be_read()
    {
        using var scratch = new Scratch();
        TestClip.Write(scratch["clip.png"], 64, 48, 1);
        foreach (string format in new[] { "gray", "rgba64be", "pal8" })
        {
            Scratch.FFmpeg("-i", scratch["clip.png"], "-pix_fmt", format, scratch[format + ".png"]);
            Assert.Equal(64, ImageReader.Read(scratch[format + ".png"]).Width);
        }

        foreach (string format in new[] { "yuv422p10le", "yuva444p10le" })
        {
            Scratch.FFmpeg("-i", scratch["clip.png"], "-pix_fmt", format, "-c:v", "ffv1", scratch[format + ".mkv"]);
            VideoFrame frame = ImageReader.Read(scratch[format + ".mkv"]);
            Assert.InRange(TestClip.Psnr(TestClip.Frame(0, 64, 48), frame.Rgb.Span), 38, double.PositiveInfinity);
        }
    }

    [Fact]
    public void Sound_alone_is_rejected_with_or_without_a_cover()
    {
        using var scratch = new Scratch();
        Scratch.FFmpeg("-f", "lavfi", "-i", "sine=duration=0.5", scratch["tone.wav"]);
        TestClip.Write(scratch["cover.png"], 32, 32, 1);
        Scratch.FFmpeg(
            "-i", scratch["tone.wav"], "-i", scratch["cover.png"], "-map", "0", "-map", "1", "-c:a", "aac", "-c:v", "png",
            "-disposition:v", "attached_pic", scratch["tone.m4a"]);
        foreach (string name in new[] { "tone.wav", "tone.m4a" })
        {
            SoraException error = Assert.Throws<SoraException>(() => VideoReader.Probe(scratch[name]));
            Assert.Contains($"{name}' has no video", error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Sound_beside_the_video_does_not_disturb()
    {
        using var scratch = new Scratch();
        TestClip.Write(scratch["silent.mp4"], 32, 32, 16);
        Scratch.FFmpeg(
            "-f", "lavfi", "-i", "sine=duration=2", "-i", scratch["silent.mp4"], "-map", "0", "-map", "1", "-c:v", "copy",
            scratch["loud.mp4"]);
        Assert.Equal(16, VideoReader.Read(scratch["loud.mp4"]).Count());
    }

    [Fact]
    public void What_is_no_video_is_named()
    {
        using var scratch = new Scratch();
        File.WriteAllBytes(scratch["empty.mp4"], []);
        File.WriteAllText(scratch["text.mp4"], new string('x', 5000));
        File.WriteAllText(scratch["text.png"], "not a picture");
        Directory.CreateDirectory(scratch["folder"]);
        foreach (string name in new[] { "empty.mp4", "text.mp4", "text.png", "folder", "missing.mp4" })
        {
            SoraException error = Assert.Throws<SoraException>(() => VideoReader.Read(scratch[name]));
            Assert.Contains(scratch[name], error.Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("clip.mp4")]
    [InlineData("clip.webm")]
    [InlineData("clip.png")]
    public void A_file_that_breaks_off_is_rejected(string name)
    {
        using var scratch = new Scratch();
        var noise = new Random(1);
        using (var writer = new VideoWriter(scratch[name], 64, 64, 8))
        {
            for (int i = 0; i < (name == "clip.png" ? 1 : 16); i++)
            {
                byte[] frame = new byte[64 * 64 * 3];
                noise.NextBytes(frame);
                writer.Write(frame);
            }

            writer.Complete();
        }

        byte[] bytes = File.ReadAllBytes(scratch[name]);
        File.WriteAllBytes(scratch[name], bytes[..(bytes.Length / 2)]);
        SoraException error = Assert.Throws<SoraException>(() => VideoReader.Read(scratch[name]).Count());
        Assert.Contains(scratch[name], error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Leaving_early_and_cancelling_stop_ffmpeg()
    {
        using var scratch = new Scratch();
        TestClip.Write(scratch["clip.mp4"], 64, 64, 100);
        Assert.Equal(5, VideoReader.Read(scratch["clip.mp4"]).Take(5).Count());

        using var source = new CancellationTokenSource();
        int seen = 0;
        Assert.Throws<OperationCanceledException>(() =>
        {
            foreach (VideoFrame frame in VideoReader.Read(scratch["clip.mp4"], null, source.Token))
            {
                seen++;
                source.Cancel();
            }
        });
        Assert.Equal(1, seen);
    }

    [Fact]
    public void A_killed_ffmpeg_is_not_blamed_on_the_file()
    {
        using var scratch = new Scratch();
        TestClip.Write(scratch["clip.mp4"], 32, 32, 4);
        FFmpegTools stub = scratch.Stub("kill -9 $$");
        FFmpegException error = Assert.Throws<FFmpegException>(
            () => VideoReader.Read(scratch["clip.mp4"], null, stub, default).Count());
        Assert.Contains("killed by signal 9", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_is_probed_once_and_again_when_it_has_changed()
    {
        using var scratch = new Scratch();
        string probe = scratch.Stub($"echo asked >> '{scratch["log"]}'; exec '{FFmpegTools.FromEnvironment().FindFFprobe()}' \"$@\"").FFmpeg!;
        var tools = new FFmpegTools(null, probe);
        TestClip.Write(scratch["clip.gif"], 16, 8, 3);
        File.CreateSymbolicLink(scratch["link.gif"], scratch["clip.gif"]);
        Assert.Equal((16, 3, 1), Read("clip.gif"));
        Assert.Equal((16, 3, 1), Read("clip.gif"));
        Assert.Equal((16, 3, 2), Read("link.gif"));
        TestClip.Write(scratch["clip.gif"], 24, 8, 2);
        Assert.Equal((24, 2, 3), Read("link.gif"));
        Assert.Equal((24, 2, 4), Read("clip.gif"));
        Assert.Equal((24, 2, 4), Read("link.gif"));
        // A failure is not remembered.
        File.WriteAllText(scratch["clip.gif"], "no video");
        Assert.Throws<SoraException>(() => Read("clip.gif"));
        TestClip.Write(scratch["clip.gif"], 16, 8, 2);
        Assert.Equal((16, 2, 6), Read("clip.gif"));

        (int Width, int Frames, int Asked) Read(string name)
        {
            VideoFrame[] frames = [.. VideoReader.Read(scratch[name], null, tools, default)];
            return (frames[0].Width, frames.Length, File.ReadAllLines(scratch["log"]).Length);
        }
    }

    /// <summary>Red, green and blue side by side.</summary>
    private static void WriteThirds(string path)
    {
        var rgb = new byte[120 * 40 * 3];
        for (int i = 0; i < 120 * 40; i++)
        {
            rgb[(i * 3) + (i % 120 / 40)] = 255;
        }

        using var writer = new VideoWriter(path, 120, 40, 1);
        writer.Write(rgb);
        writer.Complete();
    }

    /// <summary>Red, green; blue, white.</summary>
    private static void WriteQuadrants(string path)
    {
        var rgb = new byte[48 * 32 * 3];
        for (int i = 0; i < 48 * 32; i++)
        {
            (bool right, bool lower) = (i % 48 >= 24, i / 48 >= 16);
            rgb[i * 3] = (byte)(right == lower ? 255 : 0);
            rgb[(i * 3) + 1] = (byte)(right ? 255 : 0);
            rgb[(i * 3) + 2] = (byte)(lower ? 255 : 0);
        }

        using var writer = new VideoWriter(path, 48, 32, 8);
        writer.Write(rgb);
        writer.Complete();
    }

    /// <summary>The colours near the corners, row by row.</summary>
    private static string Corners(VideoFrame frame)
    {
        (int right, int lower) = (frame.Width - 8, frame.Height - 8);
        return string.Concat(
            new[] { (8, 8), (right, 8), (8, lower), (right, lower) }
                .Select(place => Name(TestClip.At(frame, place.Item1, place.Item2))));
    }

    private static char Name((byte R, byte G, byte B) colour) => (colour.R > 128, colour.G > 128, colour.B > 128) switch
    {
        (true, false, false) => 'R',
        (false, true, false) => 'G',
        (false, false, true) => 'B',
        (true, true, true) => 'W',
        _ => '?',
    };

    /// <summary>Replaces the matrix of the track header, 40 bytes into the box's content (ISO/IEC 14496-12, 8.3.2).</summary>
    private static byte[] WithMatrix(byte[] mp4, int a, int b, int c, int d)
    {
        Span<byte> matrix = mp4.AsSpan(mp4.AsSpan().IndexOf("tkhd"u8) + 44);
        BinaryPrimitives.WriteInt32BigEndian(matrix, a);
        BinaryPrimitives.WriteInt32BigEndian(matrix[4..], b);
        BinaryPrimitives.WriteInt32BigEndian(matrix[12..], c);
        BinaryPrimitives.WriteInt32BigEndian(matrix[16..], d);
        return mp4;
    }

    /// <summary>Adds an EXIF segment with nothing but tag 0x0112, the orientation.</summary>
    private static byte[] WithExif(byte[] jpg, byte orientation) =>
    [
        .. jpg[..2],
        0xFF, 0xE1, 0, 34, .. "Exif\0\0MM\0*\0\0\0\u0008"u8,
        0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0, 0, 0, 0, 0,
        .. jpg[2..],
    ];
}
