using Sora.Frames;
using Sora.Tests.Conditioning;
using Sora.Tests.Generation;
using Sora.Tests.Regions;
using Sora.Tests.Weights;
using Xunit;

namespace Sora.Tests.Cli;

/// <summary><c>edit --mask</c>, <c>outpaint</c> and <c>generate --draft</c>, from files to files.</summary>
public sealed class RegionCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task EditChangesWhatTheMaskMarksAndNothingElse()
    {
        FrameMask square = TestMasks.Rectangle(8, 6, 30, 23);
        Write("video.gif", TestFrames.Video(5));
        Write("mask.png", [Picture(square)]);
        await RunAsync("edit", "video.gif", "a red fish", "--mask", "mask.png", "--seed", "7", "--steps", "1", "-o", "out");
        VideoFrame[] given = Read("video.gif"), made = Frames("out");
        Assert.Equal(TestMasks.Pixels(given, [square], kept: true), TestMasks.Pixels(made, [square], kept: true));
        using VideoGenerator generator = await TinyModel.LoadAsync();
        Assert.Equal(await Pixels.OfAsync(generator, new("a red fish") { Seed = 7, Steps = 1, Source = [.. given], Mask = [square] }), Pixels.Of(made));
        GenerationRecord record = GenerationRecord.Read(_folder.File("out"))!;
        Assert.Equal((1.0, 8), (record.Request.Strength, record.Request.Feather));
    }

    [Fact]
    public async Task AMaskMayBeAVideoAndIsCutAsItsVideoIs()
    {
        FrameMask[] moving = [.. Enumerable.Range(0, 7).Select(i => TestMasks.Rectangle(4 * i, 8, (4 * i) + 16, 24, 64, 32))];
        Write("video.gif", TestFrames.Video(7, 64, 32));
        Write("mask.mp4", [.. moving.Select(Picture)]);
        await RunAsync("edit", "video.gif", "a red fish", "--mask", "mask.mp4", "--feather", "0", "--steps", "1", "-o", "out");
        // The model's square is cut from the middle.
        FrameMask[] cut = [.. Enumerable.Range(0, 5).Select(i => TestMasks.Rectangle(Math.Max(0, (4 * i) - 16), 8, Math.Max(0, 4 * i), 24))];
        VideoFrame[] given = [.. VideoReader.Read(_folder.File("video.gif"), new VideoReadOptions { Width = 32, Height = 32, MaxFrames = 5 })], made = Frames("out");
        // What the file's compression leaves beside edges is not more than a pixel wide.
        bool Far(FrameMask mask, int place) => Enumerable.Range(-2, 5).SelectMany(y => Enumerable.Range(-2, 5).Select(x => (place % 32) + x is var column and >= 0 and < 32
            && (place / 32) + y is var row and >= 0 and < 32 ? mask.Values.Span[(row * 32) + column] : (byte)0)).All(value => value == 0);
        for (int i = 0; i < 5; i++)
        {
            int[] kept = [.. Enumerable.Range(0, 1024).Where(place => Far(cut[i], place))];
            Assert.Equal(kept.SelectMany(place => given[i].Rgb.ToArray()[(3 * place)..((3 * place) + 3)]), kept.SelectMany(place => made[i].Rgb.ToArray()[(3 * place)..((3 * place) + 3)]));
        }
        Assert.NotEqual(TestMasks.Pixels(given, cut, kept: false), TestMasks.Pixels(made, cut, kept: false));
    }

    [Fact]
    public async Task OutpaintPutsAPictureOnACanvas()
    {
        Write("red.png", [TestFrames.Create(1, 30, 20)]);
        await RunAsync("outpaint", "red.png", "a red fish", "--size", "48x32", "--position", "bottom-right", "--steps", "1", "-o", "out.png");
        VideoFrame given = Read("red.png")[0], made = Read("out.png")[0];
        Assert.Equal((48, 32), (made.Width, made.Height));
        for (int y = 0; y < 20; y++)
            Assert.Equal(given.Rgb.Span.Slice(90 * y, 90).ToArray(), made.Rgb.Span.Slice(3 * (((12 + y) * 48) + 18), 90).ToArray());
        Assert.Equal("outpaint 30x20 at bottom-right", GenerationRecord.Read(_folder.File("out.png"))!.Capability);
    }

    [Fact]
    public async Task ADraftedVideoIsRepeatedBitForBit()
    {
        await RunAsync("generate", "a red fish", "--size", "48x48", "--draft", "0.6", "--draft-strength", "0.5", "--steps", "2", "-o", "out");
        GenerationRecord record = GenerationRecord.Read(_folder.File("out"))!;
        Assert.Equal((0.6, 0.5), (record.Request.Draft, record.Request.DraftStrength));
        await RunAsync("generate", "--like", "out", "-o", "again");
        Assert.Equal(Pixels.Of(Frames("out")), Pixels.Of(Frames("again")));
        await RunAsync("generate", "--like", "out", "--draft-strength", "1", "-o", "other");
        Assert.NotEqual(Pixels.Of(Frames("out")), Pixels.Of(Frames("other")));
    }

    public static TheoryData<string[], string> BadRequests => new()
    {
        { ["edit", "video.gif", "a fish", "--mask", "none.png"], "'none.png' does not exist." },
        { ["edit", "video.gif", "a fish", "--mask", "small.png"], "small.png is 16x16 and video.gif 32x32; a mask has the size of its video." },
        { ["edit", "video.gif", "a fish", "--mask", "long.gif"], "long.gif has 3 frames at 8 a second and video.gif 5; a mask is one picture, or has a frame for each." },
        { ["edit", "video.gif", "a fish", "--mask", "black.png"], "Mask is black everywhere, so nothing would be changed; white marks what is changed." },
        { ["edit", "video.gif", "a fish", "--feather", "3"], "Feather is given without a Mask" },
        { ["outpaint"], "The video is missing: sora outpaint fish.mp4" },
        { ["outpaint", "video.gif", "a fish"], "The canvas's size is missing: sora outpaint fish.mp4" },
        { ["outpaint", "video.gif", "a fish", "--size", "16x32"], "The canvas of 16x32 is smaller than the video of 32x32; nearest: 32x32." },
        { ["outpaint", "video.gif", "a fish", "--size", "48x32", "--position", "up"], "Position 'up' is unknown" },
        { ["generate", "a fish", "--draft", "2"], "Draft 2 is out of range; allowed: 0.05 to 0.95, nearest: 0.95." },
        { ["generate", "a fish", "--draft-strength", "0.5"], "DraftStrength is given without a Draft" },
    };

    [Fact]
    public async Task WhatCannotBeMadeIsRefusedBeforeTheModelIsLoaded()
    {
        Write("video.gif", TestFrames.Video(5));
        Write("long.gif", TestFrames.Video(3));
        Write("small.png", [TestFrames.Create(1, 16, 16)]);
        Write("black.png", [Picture(new(32, 32, new byte[1024]))]);
        foreach (var row in (IEnumerable<object[]>)BadRequests)
        {
            SoraProcess.Result result = await SoraProcess.RunAsync([.. (string[])row[0], "--model", TinyModel.Folder, "--threads", "1"], _folder.Path);
            Assert.True(result.ExitCode == 2, $"{string.Join(' ', (string[])row[0])}: exit code {result.ExitCode}: {result.Error}");
            Assert.StartsWith("sora: ", result.Error, StringComparison.Ordinal);
            Assert.Contains((string)row[1], result.Error, StringComparison.Ordinal);
            Assert.DoesNotContain("Loading", result.Error, StringComparison.Ordinal);
        }
    }

    private async Task RunAsync(params string[] arguments)
    {
        SoraProcess.Result result = await SoraProcess.RunAsync([.. arguments, "--model", TinyModel.Folder, "--threads", "1", "--precision", "full", "--quiet"], _folder.Path);
        Assert.Equal((0, "", ""), (result.ExitCode, result.Output, result.Error));
    }

    private static VideoFrame Picture(FrameMask mask) =>
        new(0, mask.Width, mask.Height, mask.Values.ToArray().SelectMany(value => new[] { value, value, value }).ToArray(), TimeSpan.Zero);

    private VideoFrame[] Read(string file) => [.. VideoReader.Read(_folder.File(file))];

    private VideoFrame[] Frames(string output) => Pixels.OfFolder(_folder.File(output));

    private void Write(string name, IReadOnlyList<VideoFrame> frames)
    {
        using var writer = new VideoWriter(_folder.File(name), frames[0].Width, frames[0].Height, 8);
        foreach (VideoFrame frame in frames)
            writer.Write(frame);
        writer.Complete();
    }
}
