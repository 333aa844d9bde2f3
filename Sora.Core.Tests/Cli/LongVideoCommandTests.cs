using System.Text.Json;
using Sora.Frames;
using Sora.Tests.Conditioning;
using Sora.Tests.Generation;
using Sora.Tests.Weights;
using Xunit;

namespace Sora.Tests.Cli;

/// <summary>Long videos and storyboards, and files of every command that repeat themselves, from files to files.</summary>
public sealed class LongVideoCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task SecondsMakeALongVideoThatRepeatsItself()
    {
        SoraProcess.Result result = await SoraProcess.RunAsync(
            ["generate", "a fish", "--seconds", "2.5", "--window-frames", "9", "--steps", "1", "-o", "v.gif", "--model", TinyModel.Folder, "--threads", "1", "--precision", "full"], _folder.Path);
        Assert.True(result.ExitCode == 0, result.Error);
        Assert.Contains("Note: 2.5 s at 8 frames a second are 20 frames; the model makes 4n + 1, the nearest is 21.", result.Error, StringComparison.Ordinal);
        Assert.Contains("v.gif: 32x32, 21 frames at 8 a second, in windows of up to 9", result.Output, StringComparison.Ordinal);
        Assert.Equal(21, Read("v.gif").Length);
        using JsonDocument json = JsonDocument.Parse(GenerationRecord.Read(_folder.File("v.gif"))!.ToJson());
        Assert.Equal((21, 9, 9), (json.RootElement.GetProperty("frame_count").GetInt32(), json.RootElement.GetProperty("window_frames").GetInt32(), json.RootElement.GetProperty("overlap_frames").GetInt32()));
        await RunAsync("generate", "--like", "v.gif", "-o", "w.gif");
        Assert.Equal(Pixels.Of(Read("v.gif")), Pixels.Of(Read("w.gif")));
        Assert.Equal(GenerationRecord.Read(_folder.File("v.gif")), GenerationRecord.Read(_folder.File("w.gif")));
        SoraProcess.Result estimate = await SoraProcess.RunAsync(["generate", "a fish", "--seconds", "60", "--estimate", "--model", TinyModel.Folder, "--threads", "1"], _folder.Path);
        Assert.Contains("32x32, 481 frames in 120 windows: 8 tokens in the largest", estimate.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AStoryboardIsMadeAndRepeatsItself()
    {
        Write("red.png", [TestFrames.Create(1)]);
        File.WriteAllText(_folder.File("board.json"), """
            {"steps": 1, "window_frames": 9,
             "segments": [{"from": 0, "to": 1, "prompt": "a fish"}, {"from": 1, "to": 2, "prompt": "a cat"}, {"from": 2, "to": 3, "prompt": "a dog", "cut": true}],
             "frames": [{"at": 2, "file": "red.png"}]}
            """);
        // What the line says goes before what the file says.
        await RunAsync("storyboard", "board.json", "--seed", "6", "-o", "v.gif");
        Assert.Equal(25, Read("v.gif").Length);
        GenerationRecord record = GenerationRecord.Read(_folder.File("v.gif"))!;
        Assert.Equal(6, record.Request.Seed);
        Assert.Equal([new(8, "a cat"), new(16, "a dog") { Cut = true }], record.Request.LaterPrompts);
        await RunAsync("generate", "--like", "v.gif", "--known", "red.png@16", "-o", "x.gif");
        Assert.Equal(Pixels.Of(Read("v.gif")), Pixels.Of(Read("x.gif")));
    }

    [Fact]
    public async Task WhatIsMadeOfVideosIsRepeatedWithThoseOnly()
    {
        Write("a.gif", TestFrames.Video(5));
        Write("b.gif", [.. TestFrames.Video(9).Skip(4)]);
        Write("c.gif", [.. TestFrames.Video(8).Skip(4), TestFrames.Create(20)]);
        (string[] Made, string[] Inputs)[] all =
        [
            (["extend", "a.gif", "a fish", "--seconds", "0.5", "--direction", "both", "--overlap-frames", "5"], ["a.gif"]),
            (["connect", "a.gif", "b.gif", "a fish", "--frames", "8"], ["a.gif", "b.gif"]),
            (["loop", "a.gif", "a fish"], ["a.gif"]),
            (["edit", "a.gif", "a fish", "--strength", "0.5"], ["a.gif"]),
            (["outpaint", "a.gif", "a fish", "--size", "48x32", "--position", "left"], ["a.gif"]),
        ];
        foreach ((string[] made, string[] inputs) in all)
        {
            string command = made[0], file = $"{command}.gif", again = $"{command}-2.gif";
            await RunAsync([.. made, "--seed", "9", "--steps", "2", "-o", file]);
            await RunAsync([command, .. inputs, "--like", file, "-o", again]);
            Assert.Equal(Pixels.Of(Read(file)), Pixels.Of(Read(again)));
            Assert.Equal(GenerationRecord.Read(_folder.File(file)), GenerationRecord.Read(_folder.File(again)));
        }
        // The second video counts too, of which not every frame is in the passage's window.
        Assert.Contains("was made from other frames than those given", await FailAsync(["connect", "a.gif", "c.gif", "--like", "connect.gif"]), StringComparison.Ordinal);
        SoraProcess.Result info = await SoraProcess.RunAsync(["info", "connect.gif"], _folder.Path);
        Assert.Contains("Again: sora connect FIRST SECOND --like connect.gif -o another.mp4, with what was given then", info.Output, StringComparison.Ordinal);
        Assert.Contains("gap frames", info.Output, StringComparison.Ordinal);
        Assert.Contains("was made by extend; repeat it with `sora extend VIDEO --like extend.gif -o another.mp4`.", await FailAsync(["generate", "--like", "extend.gif"]), StringComparison.Ordinal);
        Assert.Contains("was made by loop", await FailAsync(["extend", "a.gif", "--like", "loop.gif"]), StringComparison.Ordinal);
    }

    public static TheoryData<string[], string> BadRequests => new()
    {
        { ["generate", "a fish", "--seconds", "0"], "--seconds 0 is out of range; allowed: more than 0, up to 86400." },
        { ["generate", "a fish", "--seconds", "2", "--frames", "9"], "--seconds and --frames both say how long the video is; give one of them." },
        { ["generate", "a fish", "--seconds", "3", "--window-frames", "10"], "WindowFrames 10 is not 4n + 1; nearest: 9, 13." },
        { ["storyboard"], "The storyboard's file is missing: sora storyboard board.json" },
        { ["storyboard", "none.json"], "none.json: cannot be read" },
        { ["storyboard", "bad.json"], "bad.json:2:3: field 'sed' is unknown" },
        { ["storyboard", "good.json", "--frames", "9"], "--frames is given, and the storyboard's segments say how long the video is" },
        { ["storyboard", "good.json", "--size", "40x32"], "Width 40 is not a multiple of 16; nearest: 32, 48." },
    };

    [Fact]
    public async Task WhatCannotBeMadeIsRefusedBeforeTheModelIsLoaded()
    {
        File.WriteAllText(_folder.File("bad.json"), "{\n  \"sed\": 1}");
        File.WriteAllText(_folder.File("good.json"), """{"segments": [{"from": 0, "to": 2, "prompt": "a fish"}]}""");
        foreach (var row in (IEnumerable<object[]>)BadRequests)
        {
            string error = await FailAsync((string[])row[0]);
            Assert.Contains((string)row[1], error, StringComparison.Ordinal);
            Assert.DoesNotContain("Loading", error, StringComparison.Ordinal);
        }
    }

    private async Task<string> FailAsync(string[] arguments)
    {
        SoraProcess.Result result = await SoraProcess.RunAsync([.. arguments, "--model", TinyModel.Folder, "--threads", "1", "-o", "failed.gif"], _folder.Path);
        Assert.True(result.ExitCode == 2, $"{string.Join(' ', arguments)}: exit code {result.ExitCode}: {result.Error}");
        Assert.StartsWith("sora: ", result.Error[result.Error.IndexOf("sora: ", StringComparison.Ordinal)..], StringComparison.Ordinal);
        Assert.False(File.Exists(_folder.File("failed.gif")));
        return result.Error;
    }

    private async Task RunAsync(params string[] arguments)
    {
        SoraProcess.Result result = await SoraProcess.RunAsync([.. arguments, "--model", TinyModel.Folder, "--threads", "1", "--precision", "full", "--quiet"], _folder.Path);
        Assert.Equal((0, "", ""), (result.ExitCode, result.Output, result.Error));
    }

    private VideoFrame[] Read(string file) => [.. VideoReader.Read(_folder.File(file))];

    private void Write(string name, IReadOnlyList<VideoFrame> frames)
    {
        using var writer = new VideoWriter(_folder.File(name), frames[0].Width, frames[0].Height, 8);
        foreach (VideoFrame frame in frames)
            writer.Write(frame);
        writer.Complete();
    }
}
