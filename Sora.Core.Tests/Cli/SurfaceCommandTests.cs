using Sora.Frames;
using Sora.Tests.Generation;
using Sora.Tests.Weights;
using Xunit;

namespace Sora.Tests.Cli;

/// <summary><c>--enhance</c>, <c>--preview</c> and packed batches, from the command line to files.</summary>
public sealed class SurfaceCommandTests : IDisposable
{
    private const string HalfBlock = "▀";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task AnEnhancedPromptIsShownStoredAndRepeatedBitForBit()
    {
        string[] small = ["--model", PocketModel.Folder, "--steps", "1", "--frames", "1", "--precision", "full", "--threads", "1"];
        SoraProcess.Result result = await RunAsync(["generate", "a small dog", "--enhance", "-o", "dog.png", .. small]);
        string shown = Assert.Single(result.Error.Split('\n'), line => line.StartsWith("Prompt: ", StringComparison.Ordinal))["Prompt: ".Length..];
        Assert.Contains("Note: The caption leaves out what the drawn world does not know, or cannot show together: \"small\".", result.Error, StringComparison.Ordinal);
        Assert.Contains(" dog ", shown, StringComparison.Ordinal);
        Assert.NotEqual("a small dog", shown);

        SoraProcess.Result info = await RunAsync(["info", "dog.png"]);
        Assert.Contains("prompt                   a small dog\n", info.Output, StringComparison.Ordinal);
        Assert.Contains($"enhanced prompt          {shown}\n", info.Output, StringComparison.Ordinal);
        GenerationRecord record = GenerationRecord.Read(_folder.File("dog.png"))!;
        Assert.Equal((shown, "a small dog"), (record.Request.Prompt, record.Request.OriginalPrompt));

        // What was rewritten is not rewritten again.
        await RunAsync(["generate", "--like", "dog.png", "--enhance", "-o", "again.png", "--model", PocketModel.Folder, "--quiet"]);
        Assert.Equal(Read("dog.png"), Read("again.png"));
        Assert.Equal(record, GenerationRecord.Read(_folder.File("again.png")));
        // Another prompt is the person's own.
        await RunAsync(["generate", "a cat", "--like", "dog.png", "-o", "cat.png", "--model", PocketModel.Folder, "--quiet"]);
        Assert.Equal(("a cat", null), (GenerationRecord.Read(_folder.File("cat.png"))!.Request.Prompt, GenerationRecord.Read(_folder.File("cat.png"))!.Request.OriginalPrompt));
    }

    [Fact]
    public async Task AModelWithoutAWorldHasNoRules()
    {
        SoraProcess.Result result = await SoraProcess.RunAsync(["generate", "a dog", "--enhance", "--model", TinyModel.Folder], _folder.Path);
        Assert.Equal(2, result.ExitCode);
        Assert.StartsWith("sora: --enhance has rules for models of the drawn world, such as models/pocket, and ", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task PreviewsAreDrawnWhereTheyAreAskedFor()
    {
        string[] command = ["generate", "a fish", "--model", TinyModel.Folder, "--steps", "5", "--threads", "1", "-o", "v.gif"];
        // No terminal: only when asked.
        SoraProcess.Result silent = await RunAsync(command, colourTerminal: "truecolor");
        Assert.DoesNotContain(HalfBlock, silent.Error, StringComparison.Ordinal);
        SoraProcess.Result drawn = await RunAsync([.. command, "--preview", "--count", "2"]);
        string[] rows = [.. drawn.Error.Split('\n').Where(line => line.Contains(HalfBlock, StringComparison.Ordinal))];
        // Two pictures of 4x4 side by side, after steps 2 and 4.
        Assert.Equal(4, rows.Length);
        Assert.All(rows, row => Assert.Equal(8, row.Split(HalfBlock).Length - 1));
        Assert.All(rows, row => Assert.Matches(@"^\e\[38;2;\d+;\d+;\d+;48;2;\d+;\d+;\d+m▀.*\e\[0m\r?$", row));
        Assert.DoesNotContain(HalfBlock, drawn.Output, StringComparison.Ordinal);
        SoraProcess.Result both = await SoraProcess.RunAsync([.. command, "--preview", "--no-preview"], _folder.Path);
        Assert.Equal((2, "sora: --preview and --no-preview are both given; leave one of them."), (both.ExitCode, both.Error.Trim()));
    }

    [Fact]
    public async Task SeveralVideosRunTogether()
    {
        SoraProcess.Result result = await RunAsync([
            "generate", "a fish", "--model", TinyModel.Folder, "--steps", "2", "--threads", "1", "--precision", "full", "--count", "5", "--batch", "2", "--seed", "3", "-o", "v"]);
        Assert.Equal(4, result.Output.Split("for 2 videos together").Length - 1);
        using VideoGenerator generator = await TinyModel.LoadAsync();
        for (int i = 1; i <= 5; i++)
        {
            byte[] alone = await Pixels.OfAsync(generator, new VideoRequest("a fish") { Seed = 2 + i, Steps = 2 });
            byte[] together = Pixels.Of(Pixels.OfFolder(_folder.File($"v-{i}")));
            Assert.InRange(alone.Zip(together).Max(pair => Math.Abs(pair.First - pair.Second)), 0, 1);
        }
    }

    private async Task<SoraProcess.Result> RunAsync(string[] arguments, string? colourTerminal = null)
    {
        SoraProcess.Result result = await SoraProcess.RunAsync(
            arguments, _folder.Path, environment: colourTerminal is null ? null : new Dictionary<string, string> { ["COLORTERM"] = colourTerminal });
        Assert.True(result.ExitCode == 0, $"{string.Join(' ', arguments)}: {result.Error}");
        return result;
    }

    private byte[] Read(string file) => Pixels.Of(VideoReader.Read(_folder.File(file)));
}
