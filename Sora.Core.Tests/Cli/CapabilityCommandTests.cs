using System.Globalization;
using System.Text.Json;
using Sora.Frames;
using Sora.Tests.Conditioning;
using Sora.Tests.Generation;
using Sora.Tests.Weights;
using Xunit;

namespace Sora.Tests.Cli;

/// <summary><c>extend</c>, <c>connect</c>, <c>loop</c>, several videos, and files that carry their request, from files to files.</summary>
public sealed class CapabilityCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task ExtendGivesTheVideosFramesBackAndAddsSecondsAtBothEnds()
    {
        // Another size than the model's, which it can make, in a format without loss.
        Write("wide.gif", TestFrames.Video(7, 48, 32));
        VideoFrame[] given = Read("wide.gif");
        await RunAsync("extend", "wide.gif", "a fish", "--seconds", "0.5", "--direction", "both", "--steps", "1", "-o", "longer");
        VideoFrame[] longer = Frames("longer");
        Assert.Equal(15, longer.Length);
        Assert.Equal(Pixels.Of(given), Pixels.Of(longer[4..11]));
    }

    [Fact]
    public async Task ExtendCutsAVideoOfAnotherSizeToTheModels()
    {
        Write("odd.gif", TestFrames.Video(3, 50, 40));
        await RunAsync("extend", "odd.gif", "a fish", "--seconds", "0.5", "--steps", "1", "-o", "longer");
        VideoFrame[] given = [.. VideoReader.Read(_folder.File("odd.gif"), new VideoReadOptions { Width = 32, Height = 32 })];
        Assert.Equal(Pixels.Of(given), Pixels.Of(Frames("longer").Take(3)));
    }

    [Fact]
    public async Task ConnectAndLoopAddAPassage()
    {
        Write("a.gif", TestFrames.Video(5));
        Write("b.gif", [.. TestFrames.Video(9).Skip(6)]);
        await RunAsync("connect", "a.gif", "b.gif", "a fish", "--frames", "8", "--steps", "1", "-o", "both");
        VideoFrame[] both = Frames("both");
        Assert.Equal(16, both.Length);
        Assert.Equal(Pixels.Of([.. Read("a.gif"), .. Read("b.gif")]), Pixels.Of([.. both[..5], .. both[13..]]));
        await RunAsync("loop", "a.gif", "a fish", "--steps", "1", "-o", "closed");
        Assert.Equal(9, Frames("closed").Length);
        await RunAsync("loop", "a fish", "--steps", "1", "-o", "made");
        Assert.Equal(4, Frames("made").Length);
    }

    [Fact]
    public async Task CountMakesOneSeedAfterTheOther()
    {
        await RunAsync("generate", "a fish", "--count", "2", "--seed", "7", "--steps", "1", "-o", "v.png", "--frames", "1");
        Assert.False(File.Exists(_folder.File("v.png")));
        using VideoGenerator generator = await TinyModel.LoadAsync();
        foreach ((string file, long seed) in new[] { ("v-1.png", 7L), ("v-2.png", 8L) })
        {
            Assert.Equal(await Pixels.OfAsync(generator, new VideoRequest("a fish") { Seed = seed, Steps = 1, FrameCount = 1 }), Pixels.Of(Read(file)));
            Assert.Equal(seed, GenerationRecord.Read(_folder.File(file))!.Request.Seed);
        }
        await RunAsync("generate", "a fish", "--count", "2", "--seed", "7", "--vary", "3", "--vary-strength", "1", "--steps", "1", "-o", "w.png", "--frames", "1");
        Assert.Equal(await Pixels.OfAsync(generator, new VideoRequest("a fish") { Seed = 4, Steps = 1, FrameCount = 1 }), Pixels.Of(Read("w-2.png")));
    }

    [Theory]
    [InlineData("video.mp4")]
    [InlineData("video.mov")]
    [InlineData("video.webm")]
    [InlineData("video.gif")]
    [InlineData("frames")]
    public async Task AFileCarriesItsRequestAndIsRepeatedBitForBit(string file)
    {
        await RunAsync("generate", "a \"red\" fish; été = #1", "--negative", "blue\nlight", "--steps", "2", "--guidance", "3.3", "--vary", "5", "-o", file);
        SoraProcess.Result info = await SoraProcess.RunAsync(["info", file, "--json"], _folder.Path);
        Assert.True(info.ExitCode == 0, info.Error);
        using JsonDocument json = JsonDocument.Parse(info.Output);
        Assert.Equal("a \"red\" fish; été = #1", json.RootElement.GetProperty("prompt").GetString());
        Assert.Equal("blue\nlight", json.RootElement.GetProperty("negative_prompt").GetString());
        Assert.Equal(typeof(VideoRequest).Assembly.GetName().Version!.ToString(3), json.RootElement.GetProperty("sora").GetString());
        Assert.Equal(16, json.RootElement.GetProperty("model_fingerprint").GetString()!.Length);
        Assert.Equal("unipc", json.RootElement.GetProperty("sampler").GetString());
        Assert.Equal(32, json.RootElement.GetProperty("width").GetInt32());
        string seed = json.RootElement.GetProperty("seed").GetInt64().ToString(CultureInfo.InvariantCulture);
        // What is said does not depend on the container.
        if (file == "video.mp4")
            Assert.Contains(seed, (await SoraProcess.RunAsync(["info", file], _folder.Path)).Output, StringComparison.Ordinal);

        string again = $"again{Path.GetExtension(file)}";
        // Its own precision and threads, too.
        SoraProcess.Result result = await SoraProcess.RunAsync(["generate", "--like", file, "--model", TinyModel.Folder, "--quiet", "-o", again], _folder.Path);
        Assert.Equal((0, "", ""), (result.ExitCode, result.Output, result.Error));
        Assert.Equal(Pixels.Of(Frames(file)), Pixels.Of(Frames(again)));
        Assert.Equal(GenerationRecord.Read(_folder.File(file)), GenerationRecord.Read(_folder.File(again)));
    }

    [Fact]
    public async Task APictureFromPicturesIsRepeatedWithThoseOnly()
    {
        Write("red.png", [TestFrames.Create(1)]);
        Write("blue.png", [TestFrames.Create(4)]);
        await RunAsync("animate", "red.png", "a fish", "--steps", "1", "-o", "v");
        Assert.Contains("give them again", (await FailAsync("generate", "--like", "v", "-o", "w")).Error, StringComparison.Ordinal);
        Assert.Contains("other pictures", (await FailAsync("generate", "--like", "v", "--first", "blue.png", "-o", "w")).Error, StringComparison.Ordinal);
        await RunAsync("generate", "--like", "v", "--first", "red.png", "-o", "w");
        Assert.Equal(Pixels.Of(Frames("v")), Pixels.Of(Frames("w")));
    }

    public static TheoryData<string[], string> BadRequests => new()
    {
        { ["extend"], "The video is missing: sora extend fish.mp4" },
        { ["extend", "empty.mp4", "a fish"], "'empty.mp4' is empty." },
        { ["extend", "sound.wav", "a fish"], "'sound.wav' has no video, only sound or data." },
        { ["extend", "red.png"], "The prompt is missing" },
        { ["extend", "red.png", "a fish", "--seconds", "0"], "--seconds 0 is out of range" },
        { ["extend", "red.png", "a fish", "--direction", "up"], "Direction 'up' is unknown; known: forward, backward, both." },
        { ["connect", "red.png"], "The second video is missing" },
        { ["loop", "red.png"], "The prompt is missing" },
        { ["loop", "rde.png"], "'rde.png' does not exist." },
        { ["generate", "a fish", "--count", "0"], "--count 0 is out of range; allowed: 1 to 1000, nearest: 1." },
        { ["generate", "--like", "red.png"], "'red.png' carries no request" },
        { ["generate", "--like", "none.png"], "'none.png' does not exist." },
    };

    [Fact]
    public async Task WhatCannotBeMadeIsRefusedBeforeTheModelIsLoaded()
    {
        Write("red.png", [TestFrames.Create(1)]);
        File.WriteAllBytes(_folder.File("empty.mp4"), []);
        // A second of silence: 8 kHz, 8 bits.
        File.WriteAllBytes(_folder.File("sound.wav"), [.. "RIFF"u8, .. BitConverter.GetBytes(8036), .. "WAVEfmt "u8, 16, 0, 0, 0, 1, 0, 1, 0, 0x40, 0x1F, 0, 0, 0x40, 0x1F, 0, 0, 1, 0, 8, 0, .. "data"u8, .. BitConverter.GetBytes(8000), .. Enumerable.Repeat((byte)128, 8000)]);
        foreach (var row in (IEnumerable<object[]>)BadRequests)
        {
            SoraProcess.Result result = await FailAsync((string[])row[0]);
            Assert.StartsWith("sora: ", result.Error, StringComparison.Ordinal);
            Assert.Contains((string)row[1], result.Error, StringComparison.Ordinal);
            Assert.DoesNotContain("Loading", result.Error, StringComparison.Ordinal);
        }
    }

    private async Task<SoraProcess.Result> FailAsync(params string[] arguments)
    {
        SoraProcess.Result result = await SoraProcess.RunAsync([.. arguments, "--model", TinyModel.Folder, "--threads", "1"], _folder.Path);
        Assert.True(result.ExitCode == 2, $"{string.Join(' ', arguments)}: exit code {result.ExitCode}: {result.Error}");
        return result;
    }

    private async Task RunAsync(params string[] arguments)
    {
        SoraProcess.Result result = await SoraProcess.RunAsync([.. arguments, "--model", TinyModel.Folder, "--threads", "1", "--precision", "full", "--quiet"], _folder.Path);
        Assert.Equal((0, "", ""), (result.ExitCode, result.Output, result.Error));
    }

    private VideoFrame[] Read(string file) => [.. VideoReader.Read(_folder.File(file))];

    private VideoFrame[] Frames(string output) => Directory.Exists(_folder.File(output))
        ? Pixels.OfFolder(_folder.File(output))
        : Read(output);

    private void Write(string name, IReadOnlyList<VideoFrame> frames)
    {
        using var writer = new VideoWriter(_folder.File(name), frames[0].Width, frames[0].Height, 8);
        foreach (VideoFrame frame in frames)
            writer.Write(frame);
        writer.Complete();
    }
}
