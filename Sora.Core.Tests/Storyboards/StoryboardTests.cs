using Sora.Frames;
using Sora.Storyboards;
using Sora.Tests.Conditioning;
using Sora.Tests.Engine;
using Sora.Tests.Generation;
using Sora.Tests.Weights;
using Xunit;

namespace Sora.Tests.Storyboards;

/// <summary>Storyboards: what a file says, what it becomes, and what is refused with line and column.</summary>
[Collection(LiveTensors.Name)]
public sealed class StoryboardTests : IDisposable
{
    private const string Board = """
        {
          "size": "48x32", "fps": 8, "seed": 7, "negative": "fog", "steps": 2, "guidance": 1.5, "guidance_rescale": 0.25,
          "shift": 2, "sampler": "euler", "window_frames": 9, "overlap_frames": 5,
          "segments": [
            {"from": 0, "to": 1.5, "prompt": "a red fish"},
            {"from": 1.5, "to": 2.25, "prompt": "a blue fish"},
            {"from": 2.25, "to": 4, "prompt": "a dog", "cut": true}
          ],
          "frames": [{"at": 0.5, "file": "a.png"}, {"at": 4, "file": "a.png"}]
        }
        """;

    private readonly TemporaryFolder _folder = new();

    public StoryboardTests()
    {
        using var writer = new VideoWriter(_folder.File("a.png"), 32, 32, 8);
        writer.Write(TestFrames.Create(2));
        writer.Complete();
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task AFileIsARequest()
    {
        File.WriteAllText(_folder.File("board.json"), Board);
        Storyboard board = Storyboard.Load(_folder.File("board.json"));
        Assert.Equal(4, board.Duration);
        using VideoGenerator generator = await TinyModel.LoadAsync();
        VideoRequest request = board.ToRequest(generator.Limits);
        VideoFrame picture = ImageReader.Read(_folder.File("a.png"), new VideoReadOptions { Width = 48, Height = 32 });
        Assert.Equal(
            new VideoRequest("a red fish")
            {
                Width = 48, Height = 32, FramesPerSecond = 8, Seed = 7, NegativePrompt = "fog", Steps = 2, GuidanceScale = 1.5f, GuidanceRescale = 0.25f,
                Shift = 2, Sampler = Sampler.Euler, WindowFrames = 9, OverlapFrames = 5, FrameCount = 33,
                LaterPrompts = [new(12, "a blue fish"), new(18, "a dog") { Cut = true }],
            },
            request with { KnownFrames = [] });
        // The end of the storyboard is the last frame.
        Assert.Equal([4, 32], request.KnownFrames.Select(frame => frame.Index));
        Assert.All(request.KnownFrames, known => Assert.Equal(picture.Rgb.ToArray(), known.Frame.Rgb.ToArray()));
        List<VideoFrame> frames = await board.StreamAsync(generator).ToListAsync();
        Assert.Equal(33, frames.Count);
        Assert.Equal(await Pixels.OfAsync(generator, request), Pixels.Of(frames));
    }

    [Fact]
    public void TimesFallOnTheNearestFrames()
    {
        ModelLimits limits = VideoGenerator.ReadLimits(TinyModel.Folder);
        VideoRequest request = new Storyboard([new(0, 0.1 + 0.2, "a"), new(0.3, 1.06, "b")]) { Settings = new("x") { FramesPerSecond = 16 } }.ToRequest(limits);
        Assert.Equal(("a", 17, 5), (request.Prompt, request.FrameCount, request.LaterPrompts.Single().FirstFrame));
        Assert.Equal(1, new Storyboard([new(0, 0.1, "a")]).ToRequest(limits).FrameCount);
    }

    // A § stands before the place that the message names.
    public static TheoryData<string, string> BadBoards => new()
    {
        { "§", "not valid JSON: " },
        { "§[]", "the storyboard is a list; allowed: an object of segments, frames, size, fps," },
        { "{\n  \"segments\": [\n§", "not valid JSON: " },
        { "{} §x", "not valid JSON: " },
        { "§{}", "segments is missing." },
        { "{\"segments\": §[]}", "segments is empty; a storyboard needs at least one." },
        { "{\"segments\": §3}", "segments is 3; allowed: a list." },
        { "{§\"segmnets\": []}", "field 'segmnets' is unknown; known: segments, frames, size, fps, seed, negative, steps, guidance, guidance_rescale, shift, sampler, window_frames, overlap_frames; nearest: segments." },
        { "{\"fps\": 8, §\"fps\": 9}", "fps is given twice; a field has one value." },
        { "{\"segments\": [\n {\"prompt\": \"été\", \"from\": 0, §\"too\": 1}]}", "field 'too' is unknown; known: from, to, prompt, cut; nearest: to." },
        { "{\"segments\": [§{\"from\": 0, \"to\": 1}]}", "prompt is missing." },
        { "{\"segments\": [{\"from\": 0, \"to\": 1, \"prompt\": §\"\"}]}", "The prompt is empty" },
        { "{\"segments\": [{\"from\": 0, \"to\": 1, \"prompt\": §[1]}]}", "prompt is a list; allowed: text in quotes." },
        { "{\"segments\": [\n{\"from\": 0, \"to\": 1, \"prompt\": §\"\\uD800\"}]}", "not valid JSON: the text is not valid Unicode." },
        { "{\"segments\": [{\"from\": §\"0\", \"to\": 1, \"prompt\": \"a\"}]}", "from is \"0\"; allowed: a number." },
        { "{\"segments\": [{\"from\": 0, \"to\": 1, \"prompt\": \"a\", \"cut\": §1}]}", "cut is 1; allowed: true, false." },
        { Segments("0, 1", "§1.5, 2"), "segment 2 begins at 1.5 s and segment 1 ends at 1 s: a gap of 0.5 s; nearest: 1." },
        { Segments("0, 1", "§0.75, 2"), "segment 2 begins at 0.75 s and segment 1 ends at 1 s: an overlap of 0.25 s; nearest: 1." },
        { Segments("§0.5, 1"), "segment 1 begins at 0.5 s and the video begins at 0: a gap of 0.5 s; nearest: 0." },
        { Segments("0, 1", "§1, 0.5"), "segment 2 goes from 1 to 0.5 s; to must come after from" },
        { Segments("0, 1", "1, 1.05", "§1.05, 2"), "at 8 frames a second the segment from 1.05 to 2 s, or the one before, has no frame of its own; let it last longer." },
        { Segments("§0, 200000"), "the storyboard ends at 200000 s, which is 1600000 frames at 8 a second; allowed: 1000000." },
        { With("\"size\": §\"48\""), "size is \"48\"; allowed: width and height in pixels, such as \"832x480\"." },
        { With("\"steps\": §0"), "Steps 0 is out of range; allowed: 1 to 1000, nearest: 1." },
        { With("\"steps\": §2.5"), "steps is 2.5; allowed: a whole number." },
        { With("\"steps\": §9999999999"), "steps is too large a number." },
        { With("\"sampler\": §\"uler\""), "Sampler 'uler' is unknown; known: euler, heun, unipc, dpmpp-2m, lcm, euler-trailing, nearest: euler." },
        { With("\"frames\": [{\"at\": 0, \"file\": §\"none.png\"}]"), "file 'none.png' does not exist in " },
        { With("\"frames\": [{\"at\": §2.5, \"file\": \"a.png\"}]"), "at is 2.5; allowed: 0 to 2, the storyboard's end." },
        { With("\"frames\": [{\"at\": §-1, \"file\": \"a.png\"}]"), "at is -1; allowed: 0 to 2" },
        { With("\"frames\": [{\"at\": 1, \"file\": \"a.png\"}, {\"at\": §1.01, \"file\": \"a.png\"}]"), "at is 1.01, which is frame 8, and another picture is there; a place has one." },
        { With("\"frames\": [§{\"file\": \"a.png\"}]"), "at is missing." },
    };

    [Fact]
    public void WhatIsNoStoryboardIsRefusedWithItsPlace()
    {
        ModelLimits limits = VideoGenerator.ReadLimits(TinyModel.Folder);
        foreach (var row in (IEnumerable<object[]>)BadBoards)
        {
            string marked = (string)row[0], before = marked[..marked.IndexOf('§', StringComparison.Ordinal)], json = marked.Replace("§", "", StringComparison.Ordinal);
            string place = $"b:{before.Count(c => c == '\n') + 1}:{before.Length - before.LastIndexOf('\n')}: ";
            SoraException failure = Assert.Throws<SoraException>(() => Storyboard.Parse(json, "b", _folder.Path).ToRequest(limits));
            Assert.StartsWith(place + (string)row[1], failure.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void AStoryboardMadeInCodeIsCheckedToo()
    {
        Assert.Equal("A storyboard needs at least one segment.", Assert.Throws<SoraException>(() => new Storyboard([])).Message);
        Assert.StartsWith("segment 2 begins at 2 s", Assert.Throws<SoraException>(() => new Storyboard([new(0, 1, "a"), new(2, 3, "b")])).Message, StringComparison.Ordinal);
        Assert.Throws<SoraException>(() => Storyboard.Load(_folder.File("none.json")));
    }

    private static string With(string setting) => $"{{{setting}, \"segments\": [{{\"from\": 0, \"to\": 2, \"prompt\": \"a\"}}]}}";

    // A segment a line, from the second on.
    private static string Segments(params string[] times) =>
        "{\"segments\": [\n" + string.Join(",\n", times.Select(time => time.Split(", ")).Select(time => $"  {{\"from\": {time[0]}, \"to\": {time[1]}, \"prompt\": \"a\"}}")) + "\n]}";
}
