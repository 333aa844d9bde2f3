using System.Text.Json;
using Sora.Frames;
using Sora.Tests.Generation;
using Sora.Training.SpriteWorld;
using Xunit;

namespace Sora.Tests.Cli;

/// <summary>Videos judged from the outside; with the real sprites, from models/sprites.sh (which test.sh runs).</summary>
public sealed class EvaluateCommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("sora-evaluate-").FullName;

    [Fact]
    public async Task JudgesVideosByTheirCaptions()
    {
        SpriteWorldConfig config = SpriteWorldConfig.ByDay;
        var world = new World(config, SpriteAtlas.Load(SpriteAtlas.DefaultFolder, config.Subjects));
        for (int i = 0; i < 4; i++)
        {
            ClipDescription clip = world.Sample((ulong)i + 40);
            await WriteAsync(world, clip, $"{i}");
            // The last is captioned with a scene that it does not show.
            Scene scene = i < 3 ? clip.Scene : config.Scenes.First(s => s != clip.Scene);
            await File.WriteAllTextAsync(Path.Combine(_folder, $"{i}.txt"), Captions.FullSentence(clip with { Scene = scene }));
        }
        await File.WriteAllTextAsync(Path.Combine(_folder, "notes.md"), "not a video, and without a caption");
        // Of the same names as a video, and none.
        await File.WriteAllTextAsync(Path.Combine(_folder, "0.json"), "{}");
        await File.WriteAllTextAsync(Path.Combine(_folder, "0.png"), "a picture of it");

        string json = Path.Combine(_folder, "scores.json");
        SoraProcess.Result result = await SoraProcess.RunAsync(["evaluate", "--videos", _folder, "--json", json]);

        Assert.True(result.ExitCode == 0, result.Error);
        using JsonDocument scores = JsonDocument.Parse(await File.ReadAllTextAsync(json));
        Assert.Equal(4, scores.RootElement.GetProperty("count").GetInt32());
        Assert.Equal(1, scores.RootElement.GetProperty("subject").GetDouble());
        Assert.Equal(0.75, scores.RootElement.GetProperty("scene").GetDouble());
        Assert.Equal(1, scores.RootElement.GetProperty("motion").GetDouble());
        Assert.Equal(0.75, scores.RootElement.GetProperty("all").GetDouble());
        // Each subject, scene and motion by itself; together they are the whole.
        foreach ((string part, int found) in new[] { ("subjects", 4), ("scenes", 3), ("motions", 4) })
        {
            JsonElement[] parts = [.. scores.RootElement.GetProperty(part).EnumerateObject().Select(p => p.Value)];
            Assert.Equal(4, parts.Sum(p => p.GetProperty("count").GetInt32()));
            Assert.Equal(found, parts.Sum(p => p.GetProperty("found").GetInt32()));
        }
        Assert.Contains("hardest scenes: ", result.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("hardest subjects", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TellsTheTimeOfDayOfCaptionsThatNameOne()
    {
        SpriteWorldConfig config = SpriteWorldConfig.Everything;
        var world = new World(config, SpriteAtlas.Load(SpriteAtlas.DefaultFolder, config.Subjects));
        ClipDescription clip = Enumerable.Range(40, 100).Select(i => world.Sample((ulong)i)).First(c => c.Scene.HasSky && c.Companion is null && c.Camera == CameraMove.Still);
        // What is shown, and what the caption names.
        (TimeOfDay Shown, TimeOfDay Named)[] videos = [(TimeOfDay.Night, TimeOfDay.Night), (TimeOfDay.Day, TimeOfDay.Night), (TimeOfDay.Sunset, TimeOfDay.Sunset), (TimeOfDay.Day, TimeOfDay.Day)];
        for (int i = 0; i < videos.Length; i++)
        {
            await WriteAsync(world, clip with { TimeOfDay = videos[i].Shown }, $"{i}");
            await File.WriteAllTextAsync(Path.Combine(_folder, $"{i}.txt"), Captions.FullSentence(clip with { TimeOfDay = videos[i].Named }));
        }
        string json = Path.Combine(_folder, "scores.json");
        SoraProcess.Result result = await SoraProcess.RunAsync(["evaluate", "--videos", _folder, "--json", json, "--world", "everything"]);

        Assert.True(result.ExitCode == 0, result.Error);
        Assert.Contains("hardest times of day: night 1 of 2", result.Output, StringComparison.Ordinal);
        using JsonDocument scores = JsonDocument.Parse(await File.ReadAllTextAsync(json));
        Assert.Equal("""{"night":{"found":1,"count":2},"sunset":{"found":1,"count":1}}""", scores.RootElement.GetProperty("times_of_day").GetRawText());
        Assert.Equal(1, scores.RootElement.GetProperty("scene").GetDouble());
    }

    [Theory]
    [InlineData("no video has its caption beside it", "--videos", "FOLDER")]
    [InlineData("there is no such folder", "--videos", "FOLDER/none")]
    [InlineData("--count has no meaning with --videos", "--videos", "FOLDER", "--count", "3")]
    [InlineData("--steps has no meaning with --videos", "--videos", "FOLDER", "--steps", "4")]
    [InlineData("--size has no meaning with --videos", "--videos", "FOLDER", "--size", "96x96")]
    [InlineData("Steps 0 is out of range", "--count", "1", "--steps", "0")]
    [InlineData("none.safetensors", "--count", "1", "--lora", "FOLDER/none.safetensors")]
    [InlineData("nearest: by-day", "--world", "by-dai")]
    [InlineData("different prompts of combinations that training never sees, not 9000", "--world", "first-edition", "--count", "9000")]
    [InlineData("there is no folder", "--count", "1", "--json", "FOLDER/none/scores.json")]
    [InlineData("names a subject that is not of this world, or none", "--prompts", "FOLDER/prompts.text")]
    [InlineData("cannot be read", "--prompts", "FOLDER/none.text")]
    public async Task BadRequestsAreNamed(string message, params string[] arguments)
    {
        await File.WriteAllTextAsync(Path.Combine(_folder, "prompts.text"), "a stone lies on the meadow\n");
        SoraProcess.Result result = await SoraProcess.RunAsync(["evaluate", .. arguments.Select(a => a.Replace("FOLDER", _folder, StringComparison.Ordinal))]);
        Assert.Equal(2, result.ExitCode);
        Assert.Contains(message, result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task VideosAreMadeByTheGivenSettings()
    {
        string one = Path.Combine(_folder, "one.mp4"), save = Path.Combine(_folder, "kept");
        string[] settings = ["--few-steps", "on", "--lora", Path.Combine(PocketModel.Folder, "few-steps.safetensors:-0.5"), "--steps", "3", "--guidance", "1.5", "--size", "48x64", "--frames", "9"];
        await File.WriteAllTextAsync(Path.Combine(_folder, "prompts.text"), "a red fish swims left in the deep sea\n");
        SoraProcess.Result generated = await SoraProcess.RunAsync(["generate", "a red fish swims left in the deep sea", "--seed", "7", "--model", PocketModel.Folder, "--quiet", "-o", one, .. settings]);
        SoraProcess.Result evaluated = await SoraProcess.RunAsync(["evaluate", PocketModel.Folder, "--prompts", Path.Combine(_folder, "prompts.text"), "--seed", "7", "--save", save, .. settings]);

        Assert.True(generated.ExitCode == 0, generated.Error);
        Assert.True(evaluated.ExitCode == 0, evaluated.Error);
        VideoFrame[] expected = [.. VideoReader.Read(one)], judged = [.. VideoReader.Read(Path.Combine(save, "001.mp4"))];
        Assert.Equal(9, judged.Length);
        Assert.All(judged, frame => Assert.Equal((48, 64), (frame.Width, frame.Height)));
        Assert.Equal(expected.SelectMany(frame => frame.Rgb.ToArray()), judged.SelectMany(frame => frame.Rgb.ToArray()));
    }

    public void Dispose() => Directory.Delete(_folder, true);

    private async Task WriteAsync(World world, ClipDescription clip, string name)
    {
        const int side = 64, count = 17, bytes = side * side * 3;
        var rgb = new byte[count * bytes];
        world.Render(clip, side, side, count, 8, rgb);
        await using var writer = new VideoWriter(Path.Combine(_folder, $"{name}.mp4"), side, side, 8);
        for (int i = 0; i < count; i++)
            writer.Write(rgb.AsSpan(i * bytes, bytes));
        await writer.CompleteAsync();
    }
}
