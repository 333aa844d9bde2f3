using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using Sora.Frames;
using Xunit;

namespace Sora.Tests.Frames;

public sealed class VideoWriterTests
{
    [Theory]
    [InlineData("clip.mp4", 38)]
    [InlineData("clip.M4V", 38)]
    [InlineData("clip.mov", 38)]
    [InlineData("clip.webm", 38)]
    [InlineData("clip.gif", 30)]
    public void A_clip_comes_back_with_its_frames_rate_and_size(string name, double leastPsnr)
    {
        using var scratch = new Scratch();
        TestClip.Write(scratch[name], 96, 64, 17);

        VideoInfo info = VideoReader.Probe(scratch[name]);
        Assert.Equal((96, 64, (FrameRate)8, false), (info.Width, info.Height, info.FrameRate, info.IsImage));
        Assert.Equal(17 / 8.0, info.Duration!.Value.TotalSeconds, 0.02);
        VideoFrame[] frames = [.. VideoReader.Read(scratch[name])];
        Assert.Equal(17, frames.Length);
        for (int i = 0; i < frames.Length; i++)
        {
            Assert.Equal((i, TimeSpan.FromSeconds(i / 8.0)), (frames[i].Index, frames[i].Timestamp));
            Assert.InRange(TestClip.Psnr(TestClip.Frame(i, 96, 64), frames[i].Rgb.Span), leastPsnr, 200);
        }

        Assert.Equal([name], scratch.Names);
    }

    [Theory]
    [InlineData("frame.png", double.PositiveInfinity)]
    [InlineData("frame.jpg", 38)]
    [InlineData("frame.jpeg", 38)]
    public void A_picture_comes_back(string name, double leastPsnr)
    {
        using var scratch = new Scratch();
        TestClip.Write(scratch[name], 97, 63, 1);

        VideoInfo info = VideoReader.Probe(scratch[name]);
        Assert.Equal((97, 63, 1, true), (info.Width, info.Height, info.FrameCount, info.IsImage));
        VideoFrame frame = ImageReader.Read(scratch[name]);
        Assert.True(TestClip.Psnr(TestClip.Frame(0, 97, 63), frame.Rgb.Span) >= leastPsnr);
    }

    [Theory]
    [InlineData(24000, 1001)]
    [InlineData(25, 2)]
    public void Mp4_keeps_the_rate_exactly(int numerator, int denominator)
    {
        using var scratch = new Scratch();
        var rate = new FrameRate(numerator, denominator);
        TestClip.Write(scratch["clip.mp4"], 32, 32, 7, rate);
        VideoInfo info = VideoReader.Probe(scratch["clip.mp4"]);
        Assert.Equal((rate, 7), (info.FrameRate, info.FrameCount));
    }

    [Fact]
    public void Mp4_plays_in_browsers_and_carries_its_tags()
    {
        using var scratch = new Scratch();
        TestClip.Write(
            scratch["clip.mp4"], 64, 48, 5, 8, new VideoWriterOptions
            {
                Metadata = new Dictionary<string, string> { ["title"] = "A fish; \"red\" = été", ["comment"] = "seed 42" },
            });

        byte[] bytes = File.ReadAllBytes(scratch["clip.mp4"]);
        Assert.True(bytes.AsSpan().IndexOf("moov"u8) < bytes.AsSpan().IndexOf("mdat"u8), "the index is not at the front");
        (_, string json) = FFmpegProcess.Run(
            FFmpegTools.FromEnvironment().FindFFprobe(),
            ["-loglevel", "error", "-print_format", "json", "-show_format", "-show_streams", scratch["clip.mp4"]], default);
        using JsonDocument document = JsonDocument.Parse(json);
        JsonElement stream = Assert.Single(document.RootElement.GetProperty("streams").EnumerateArray());
        string[] wanted = ["h264", "yuv420p", "tv", "bt709", "bt709", "bt709"];
        string[] names = ["codec_name", "pix_fmt", "color_range", "color_space", "color_transfer", "color_primaries"];
        Assert.Equal(wanted, names.Select(name => stream.GetProperty(name).GetString()));
        JsonElement tags = document.RootElement.GetProperty("format").GetProperty("tags");
        Assert.Equal("A fish; \"red\" = été", tags.GetProperty("title").GetString());
        Assert.Equal("seed 42", tags.GetProperty("comment").GetString());
    }

    /// <summary>Columns of one colour each; the last one, at an odd width, shares its chroma with no other.</summary>
    [Theory]
    [InlineData("clip.mp4")]
    [InlineData("clip.webm")]
    [InlineData("still.jpg")]
    public void Colours_survive_the_way_through_yuv(string name)
    {
        (byte R, byte G, byte B)[] colours =
            [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0), (200, 120, 40)];
        const int column = 17;
        using var scratch = new Scratch();
        int width = colours.Length * column;
        var rgb = new byte[width * 33 * 3];
        for (int i = 0; i < width * 33; i++)
        {
            (rgb[i * 3], rgb[(i * 3) + 1], rgb[(i * 3) + 2]) = colours[i % width / column];
        }

        using (var writer = new VideoWriter(scratch[name], width - 1, 33, 8))
        {
            writer.Write(Cropped(rgb, width, 33));
            writer.Complete();
        }

        VideoFrame frame = Assert.Single(VideoReader.Read(scratch[name]));
        for (int i = 0; i < colours.Length; i++)
        {
            TestClip.AssertNear(colours[i], TestClip.At(frame, (i * column) + 8, 16), 6);
        }

        TestClip.AssertNear(colours[^1], TestClip.At(frame, width - 2, 16), 6);
    }

    [Fact]
    public void Gif_repeats_for_ever()
    {
        using var scratch = new Scratch();
        TestClip.Write(scratch["clip.gif"], 32, 32, 5);
        byte[] bytes = File.ReadAllBytes(scratch["clip.gif"]);
        int at = bytes.AsSpan().IndexOf("NETSCAPE2.0"u8);
        Assert.Equal([3, 1, 0, 0], bytes[(at + 11)..(at + 15)]);
        Assert.Equal(5, VideoReader.Probe(scratch["clip.gif"]).FrameCount);
    }

    /// <summary>ffmpeg writes animated WebP but does not read it, so the container is read here.</summary>
    [Fact]
    public void Webp_is_animated_and_repeats_for_ever()
    {
        using var scratch = new Scratch();
        TestClip.Write(scratch["clip.webp"], 64, 48, 5);
        List<(string Name, byte[] Data)> chunks = [.. Chunks(File.ReadAllBytes(scratch["clip.webp"]).AsSpan(12))];
        byte[] animation = Assert.Single(chunks, chunk => chunk.Name == "ANIM").Data;
        Assert.Equal(0, BinaryPrimitives.ReadUInt16LittleEndian(animation.AsSpan(4)));
        List<byte[]> frames = [.. chunks.Where(chunk => chunk.Name == "ANMF").Select(chunk => chunk.Data)];
        Assert.Equal(5, frames.Count);
        Assert.All(frames, frame => Assert.Equal(125, frame[12] | (frame[13] << 8) | (frame[14] << 16)));

        byte[] picture = frames[0][16..];
        byte[] size = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(size, picture.Length + 4);
        File.WriteAllBytes(scratch["first.webp"], [.. "RIFF"u8, .. size, .. "WEBP"u8, .. picture]);
        VideoFrame first = ImageReader.Read(scratch["first.webp"]);
        Assert.InRange(TestClip.Psnr(TestClip.Frame(0, 64, 48), first.Rgb.Span), 34, 200);

        SoraException error = Assert.Throws<SoraException>(() => VideoReader.Probe(scratch["clip.webp"]));
        Assert.Contains("animated", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_odd_size_gets_its_last_column_and_row_twice_in_mp4()
    {
        using var scratch = new Scratch();
        TestClip.Write(scratch["clip.mp4"], 33, 19, 3);
        foreach ((VideoFrame frame, int i) in VideoReader.Read(scratch["clip.mp4"]).Select((frame, i) => (frame, i)))
        {
            Assert.Equal((34, 20), (frame.Width, frame.Height));
            var expected = new byte[34 * 20 * 3];
            byte[] original = TestClip.Frame(i, 33, 19);
            for (int y = 0; y < 20; y++)
            {
                for (int x = 0; x < 34; x++)
                {
                    original.AsSpan(((Math.Min(y, 18) * 33) + Math.Min(x, 32)) * 3, 3).CopyTo(expected.AsSpan(((y * 34) + x) * 3));
                }
            }

            Assert.InRange(TestClip.Psnr(expected, frame.Rgb.Span), 36, 200);
        }
    }

    [Theory]
    [InlineData("clip.mp4", 2)]
    [InlineData("clip.webm", 1)]
    [InlineData("clip.gif", 1)]
    [InlineData("clip.png", 1)]
    [InlineData("clip.jpg", 1)]
    public void One_pixel_is_enough(string name, int side)
    {
        using var scratch = new Scratch();
        using var writer = new VideoWriter(scratch[name], 1, 1, 8);
        writer.Write([200, 100, 50]);
        writer.Complete();
        VideoFrame frame = Assert.Single(VideoReader.Read(scratch[name]));
        Assert.Equal((side, side), (frame.Width, frame.Height));
        TestClip.AssertNear((200, 100, 50), TestClip.At(frame, 0, 0), 8);
    }

    [Theory]
    [InlineData("frames")]
    [InlineData("100%d of it/")]
    public void A_folder_gets_numbered_png_files(string name)
    {
        using var scratch = new Scratch();
        string folder = scratch[name];
        TestClip.Write(folder, 21, 13, 3);
        string[] files = [.. Directory.GetFiles(folder).Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal)];
        Assert.Equal(["frame-0001.png", "frame-0002.png", "frame-0003.png"], files);
        Assert.Equal(TestClip.Frame(2, 21, 13), ImageReader.Read(Path.Combine(folder, files[2])).Rgb.ToArray());
        Assert.Single(scratch.Names);
    }

    [Fact]
    public void A_folder_keeps_its_other_files_and_loses_the_earlier_clip()
    {
        using var scratch = new Scratch();
        string folder = scratch["frames"];
        TestClip.Write(folder, 8, 8, 5);
        File.WriteAllText(Path.Combine(folder, "notes.txt"), "mine");
        File.WriteAllText(Path.Combine(folder, "frame-1.png"), "mine");
        using (var writer = new VideoWriter(folder, 8, 8, 8))
        {
            writer.Write(TestClip.Solid(8, 8, 1, 2, 3));
            writer.Write(TestClip.Solid(8, 8, 4, 5, 6));
            writer.Complete();
        }

        Assert.Equal(
            ["frame-0001.png", "frame-0002.png", "frame-1.png", "notes.txt"],
            Directory.GetFileSystemEntries(folder).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal));
        Assert.Equal(TestClip.Solid(8, 8, 4, 5, 6), ImageReader.Read(Path.Combine(folder, "frame-0002.png")).Rgb.ToArray());
    }

    [Theory]
    [InlineData("a.mp4")]
    [InlineData("a.webm")]
    [InlineData("a.gif")]
    [InlineData("a.webp")]
    public void Equal_frames_make_equal_bytes(string name)
    {
        using var scratch = new Scratch();
        string other = "b" + Path.GetExtension(name);
        var tags = new Dictionary<string, string> { ["title"] = "one", ["comment"] = "two" };
        var reversed = new Dictionary<string, string> { ["comment"] = "two", ["title"] = "one" };
        TestClip.Write(scratch[name], 96, 80, 12, 8, new VideoWriterOptions { Metadata = tags });
        TestClip.Write(scratch[other], 96, 80, 12, 8, new VideoWriterOptions { Metadata = reversed });
        Assert.Equal(File.ReadAllBytes(scratch[name]), File.ReadAllBytes(scratch[other]));
    }

    [Theory]
    [InlineData("-x.mp4")]
    [InlineData("a:b.mp4")]
    [InlineData("http:x.mp4")]
    [InlineData("100%d.png")]
    [InlineData("%03d.jpg")]
    [InlineData("what?*{1,2}.png")]
    [InlineData("it's \"quoted\" \\ $HOME `x`; rm.gif")]
    [InlineData("ünïcödé 魚 🐟.webm")]
    [InlineData(" spaces .mp4")]
    [InlineData("new\nline.png")]
    [InlineData("concat:a|b.mp4")]
    public void Any_name_can_be_written_and_read(string name)
    {
        using var scratch = new Scratch();
        TestClip.Write(scratch[name], 32, 32, 1);
        Assert.Equal([name], scratch.Names);
        Assert.Equal(32, Assert.Single(VideoReader.Read(scratch[name])).Width);
    }

    [Fact]
    public void A_name_of_the_longest_length_can_be_written()
    {
        using var scratch = new Scratch();
        string name = new string('x', 251) + ".png";
        TestClip.Write(scratch[name], 8, 8, 1);
        Assert.Equal([name], scratch.Names);
    }

    /// <summary>The clip has 59 MB.</summary>
    [Fact]
    public void A_long_clip_is_written_and_read_in_constant_memory()
    {
        const int side = 256;
        using var scratch = new Scratch();
        byte[] frame = TestClip.Frame(0, side, side);
        using (var writer = new VideoWriter(scratch["long.mp4"], side, side, 24))
        {
            writer.Write(frame);
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 1; i < 300; i++)
            {
                frame.AsSpan(i * 100, 100).Fill((byte)i);
                writer.Write(frame);
            }

            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, frame.Length);
            writer.Complete();
        }

        using IEnumerator<VideoFrame> frames = VideoReader.Read(scratch["long.mp4"]).GetEnumerator();
        WeakReference first = Next(frames);
        for (int i = 1; i < 300; i++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            Assert.True(frames.MoveNext());
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, frame.Length, frame.Length + 65536);
        }

        GC.Collect();
        Assert.False(first.IsAlive, "the reader holds on to frames");
        Assert.False(frames.MoveNext());
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference Next(IEnumerator<VideoFrame> frames)
    {
        Assert.True(frames.MoveNext());
        return new WeakReference(frames.Current);
    }

    /// <summary>Without the last column.</summary>
    private static byte[] Cropped(byte[] rgb, int width, int height) =>
        [.. Enumerable.Range(0, height).SelectMany(y => rgb.Skip(y * width * 3).Take((width - 1) * 3))];

    private static List<(string Name, byte[] Data)> Chunks(ReadOnlySpan<byte> riff)
    {
        List<(string, byte[])> chunks = [];
        while (riff.Length >= 8)
        {
            int length = BinaryPrimitives.ReadInt32LittleEndian(riff[4..]);
            chunks.Add((Encoding.ASCII.GetString(riff[..4]), riff.Slice(8, length).ToArray()));
            riff = riff[Math.Min(riff.Length, 8 + length + (length % 2))..];
        }

        return chunks;
    }
}
