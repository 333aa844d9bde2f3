using Sora.Frames;
using Sora.Tests.Frames;
using Sora.Tests.Generation;
using Sora.Tests.Weights;
using Sora.Weights;
using Xunit;

namespace Sora.Tests.Cli;

/// <summary><c>sora generate</c> with a model, from the command line to the file.</summary>
public sealed class GenerateCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("fish.mp4", 5, 8)]
    [InlineData("fish.webm", 5, 8)]
    [InlineData("fish.gif", 5, 8)]
    [InlineData("fish.webp", 5, 8)]
    [InlineData("fish.png", 1, null)]
    public async Task EveryFormatIsWritten(string name, int frames, int? rate)
    {
        SoraProcess.Result result = await GenerateAsync("a red fish", "-o", name, "--frames", $"{frames}", "--size", "48x32", "--seed", "7");

        Assert.True(result.ExitCode == 0, result.Error);
        Assert.StartsWith($"{name}: 48x32, {frames} frame", result.Output, StringComparison.Ordinal);
        Assert.Contains("Seed 7\n", result.Output, StringComparison.Ordinal);
        foreach (string stage in (string[])["Loading model", "Encoding text", "Denoising", "Decoding", "Saving"])
            Assert.Contains(stage, result.Error, StringComparison.Ordinal);
        Assert.Equal([name], Written());
        if (name.EndsWith(".webp", StringComparison.Ordinal))
        {
            // ffmpeg writes animated webp and does not read it.
            Assert.Equal("RIFF"u8, File.ReadAllBytes(_folder.File(name)).AsSpan(0, 4));
            return;
        }
        VideoInfo info = VideoReader.Probe(_folder.File(name));
        Assert.Equal((48, 32, rate is null), (info.Width, info.Height, info.IsImage));
        Assert.Equal(frames, VideoReader.Read(_folder.File(name)).Count());
        if (rate is { } expected)
            Assert.Equal(expected, info.FrameRate.Value, 0.5);
    }

    [Fact]
    public async Task AFolderOfFramesIsWrittenAndHoldsTheLibrarysVideo()
    {
        SoraProcess.Result result = await GenerateAsync("a red fish", "-o", "fish", "--seed", "7", "--quiet");
        Assert.Equal((0, "", ""), (result.ExitCode, result.Output, result.Error));
        string[] frames = [.. Enumerable.Range(1, 5).Select(i => $"frame-{i:0000}.png")];
        Assert.Equal(frames, Directory.EnumerateFiles(_folder.File("fish")).Select(Path.GetFileName).Order(StringComparer.Ordinal));

        using VideoGenerator generator = await TinyModel.LoadAsync();
        await using GeneratedVideo video = await generator.GenerateAsync(new VideoRequest("a red fish") { Seed = 7 });
        VideoFrame last = Assert.Single(VideoReader.Read(_folder.File("fish", frames[^1])));
        Assert.Equal(video.Frames[^1].Rgb.ToArray(), last.Rgb.ToArray());
    }

    [Fact]
    public async Task TheSameSeedGivesTheSameFileInPlaceOfTheFirst()
    {
        var files = new List<byte[]>();
        for (int i = 0; i < 2; i++)
        {
            Assert.Equal(0, (await GenerateAsync("a red fish", "--seed", "7")).ExitCode);
            files.Add(File.ReadAllBytes(_folder.File("video.mp4")));
            File.WriteAllText(_folder.File("video.mp4"), "earlier");
        }
        Assert.Equal(["video.mp4"], Written());
        Assert.Equal(files[0], files[1]);
    }

    [Fact]
    public async Task APromptThatIsTooLongIsNoted()
    {
        SoraProcess.Result result = await GenerateAsync(string.Join(' ', Enumerable.Repeat("a red fish", 6)), "--steps", "1", "-o", "fish.png", "--frames", "1");
        Assert.Equal(0, result.ExitCode);
        Assert.Contains("Note: The prompt has 19 tokens and the model reads 16; this end of it is not seen: \"a red fish\".", result.Error, StringComparison.Ordinal);
    }

    public static TheoryData<string[], string> BadRequests => new()
    {
        { ["a fish", "--size", "40x32"], "Width 40 is not a multiple of 16; nearest: 32, 48." },
        { ["a fish", "--frames", "6"], "FrameCount 6 is not 4n + 1; nearest: 5, 9." },
        { ["a fish", "--steps", "-1"], "Steps -1 is out of range; allowed: 1 to 1000, nearest: 1." },
        { ["a fish", "--guidance", "101"], "GuidanceScale 101 is out of range; allowed: 0 to 100, nearest: 100." },
        { ["a fish", "--seed", "-3"], "Seed -3 is out of range" },
        { ["a fish", "--cuont", "2"], "Option '--cuont' is unknown" },
        { ["a fish", "--btach=2"], "Option '--btach' is unknown" },
        { ["a fish", "-o", "fish.mp3"], "fish.mp3" },
        { ["a fish", "-o", "fish.png"], "'fish.png' can hold one frame only." },
        { ["a fish", "-o", "fish.gif", "--fps", "100"], "fish.gif" },
        { ["a fish", "-o", "no/such/folder/fish.mp4"], "no/such/folder" },
        { ["a fish", "-o", "/proc/fish.mp4"], "/proc/fish.mp4" },
        { [""], "The prompt is empty" },
    };

    [Theory]
    [MemberData(nameof(BadRequests))]
    public async Task WhatTheModelOrTheFileCannotHoldIsRefusedAtOnce(string[] arguments, string part)
    {
        SoraProcess.Result result = await GenerateAsync(arguments);
        RequireOneSentence(result, 2, part);
        Assert.DoesNotContain("Loading", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ALoraChangesTheVideoAndScaleZeroDoesNot()
    {
        string style = TestLora.Write(_folder.File("a:style.safetensors"), TestLora.ForBlocks(TinyModel.Transformer));
        // Pixels, since the file also says what it was made with.
        async Task<byte[]> FrameAsync(params string[] loras)
        {
            SoraProcess.Result result = await GenerateAsync(["a red fish", "-o", "fish.png", "--frames", "1", "--seed", "7", "--quiet", .. loras]);
            Assert.Equal((0, "", ""), (result.ExitCode, result.Output, result.Error));
            return ImageReader.Read(_folder.File("fish.png")).Rgb.ToArray();
        }
        byte[] plain = await FrameAsync(), styled = await FrameAsync("--lora", style);
        Assert.NotEqual(plain, styled);
        Assert.Equal(styled, await FrameAsync("--lora", $"{style}:1"));
        Assert.Equal(plain, await FrameAsync("--lora", $"{style}:0", "--lora", $"{style}:0"));
    }

    [Fact]
    public async Task AModelsFewStepsAreTakenUnlessTheLineSaysHow()
    {
        RequireOneSentence(await GenerateAsync("a fish", "--few-steps", "on"), 2, "names no LoRA under few_steps; nearest: without them");
        RequireOneSentence(await GenerateAsync("a fish", "--few-steps", "maybe"), 2, "--few-steps 'maybe' is unknown; known: on, off");
        using var other = new TemporaryFolder();
        string model = other.File("few"), lora = Path.Combine(model, "few.safetensors");
        TinyModel.CopyTo(model);
        TestLora.Write(lora, TestLora.ForBlocks(TinyModel.Transformer));
        (TinyModel.Defaults with { FewSteps = new() { Lora = "few.safetensors", Steps = 2, GuidanceScale = 1.5f, Sampler = Sampler.Euler } }).Save(Path.Combine(model, RequestDefaults.FileName));
        async Task<byte[]> FrameAsync(params string[] options)
        {
            SoraProcess.Result result = await SoraProcess.RunAsync(["generate", "a red fish", "-o", "fish.png", "--frames", "1", "--seed", "7", "--quiet", .. options], _folder.Path);
            Assert.Equal((0, "", ""), (result.ExitCode, result.Output, result.Error));
            return ImageReader.Read(_folder.File("fish.png")).Rgb.ToArray();
        }
        byte[] few = await FrameAsync("--model", model), many = await FrameAsync("--model", TinyModel.Folder), both = await FrameAsync("--model", model, "--few-steps", "on", "--steps", "3");
        Assert.Equal(few, await FrameAsync("--model", model, "--few-steps", "off", "--lora", lora, "--steps", "2", "--guidance", "1.5", "--sampler", "euler"));
        Assert.Equal(many, await FrameAsync("--model", model, "--few-steps", "off"));
        Assert.Equal(many, await FrameAsync("--model", model, "--steps", "4"));
        Assert.Equal(both, await FrameAsync("--model", TinyModel.Folder, "--lora", lora, "--steps", "3", "--guidance", "1.5", "--sampler", "euler"));
        // Without guidance a negative prompt would have no effect.
        Assert.Equal(await FrameAsync("--model", TinyModel.Folder, "--negative", "fog"), await FrameAsync("--model", model, "--negative", "fog"));
        Assert.Equal(3, new[] { few, many, both }.Select(Convert.ToHexString).Distinct().Count());

        // A file says which it was made with.
        Assert.Equal(few, await FrameAsync("--model", model));
        Assert.Equal(few, await FrameAsync("--model", model, "--like", "fish.png"));
        Assert.Equal(many, await FrameAsync("--model", model, "--steps", "4"));
        Assert.Equal(many, await FrameAsync("--model", model, "--like", "fish.png"));

        // An edit takes the many.
        async Task<byte[]> EditAsync(params string[] options)
        {
            SoraProcess.Result result = await SoraProcess.RunAsync(["edit", "fish.mp4", "a blue fish", "-o", "edited", "--seed", "3", "--quiet", .. options], _folder.Path);
            Assert.Equal((0, "", ""), (result.ExitCode, result.Output, result.Error));
            return Pixels.Of(Pixels.OfFolder(_folder.File("edited")));
        }
        Assert.Equal(0, (await SoraProcess.RunAsync(["generate", "a red fish", "-o", "fish.mp4", "--seed", "7", "--quiet", "--model", model], _folder.Path)).ExitCode);
        byte[] edited = await EditAsync("--model", model);
        Assert.Equal(await EditAsync("--model", TinyModel.Folder), edited);
        Assert.NotEqual(await EditAsync("--model", model, "--few-steps", "on"), edited);

        // Who did not ask for that is told.
        SoraProcess.Result told = await SoraProcess.RunAsync(["generate", "a red fish", "-o", "fish.png", "--frames", "1", "--steps", "1", "--model", model], _folder.Path);
        Assert.Contains("Note: Made without the model's LoRA for few steps, few.safetensors, since other settings are given; --few-steps on keeps it.\n", told.Error, StringComparison.Ordinal);
        told = await SoraProcess.RunAsync(["generate", "a red fish", "-o", "fish.png", "--frames", "1", "--steps", "1", "--few-steps", "off", "--model", model], _folder.Path);
        Assert.DoesNotContain("Note:", told.Error, StringComparison.Ordinal);

        SoraProcess.Result info = await SoraProcess.RunAsync(["info", model]);
        Assert.Contains("8 a second: 2 steps, guidance 1.5, shift 3, euler\n", info.Output, StringComparison.Ordinal);
        Assert.Contains("by few.safetensors; without it: 4 steps, guidance 5, shift 3, unipc\n", info.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ALoraThatCannotBeUsedIsRefusedByName()
    {
        using var other = new TemporaryFolder();
        string foreign = TestLora.Write(other.File("foreign.safetensors"), TestLora.Random("diffusion_model.blocks.0.self_attn.q.diff_b", 7));
        RequireOneSentence(await GenerateAsync("a fish", "--quiet", "--lora", "none.safetensors:0.5"), 2, "none.safetensors: cannot be read");
        RequireOneSentence(await GenerateAsync("a fish", "--quiet", "--lora", foreign), 2, "foreign.safetensors was made for another model; 1 of 1 parameters do not fit");
        RequireOneSentence(await GenerateAsync("a fish", "--quiet", "--lora-high", foreign), 2, "the model has one transformer");
    }

    // The dynamic linker tells what is loaded. libtorch takes most of a second, which a refusal need not wait for.
    [Fact]
    public async Task ARefusalLoadsNoEngine()
    {
        Assert.True(await LoadsEngineAsync(0, "--frames", "1", "--steps", "1", "-o", "fish.png"));
        Assert.False(await LoadsEngineAsync(2, "--size", "33x32"));

        async Task<bool> LoadsEngineAsync(int exitCode, params string[] arguments)
        {
            using var told = new TemporaryFolder();
            SoraProcess.Result result = await GenerateAsync(["a fish", .. arguments], new() { ["LD_DEBUG"] = "files", ["LD_DEBUG_OUTPUT"] = told.File("linker") });
            Assert.True(result.ExitCode == exitCode, result.Error);
            return Directory.EnumerateFiles(told.Path).Any(file => File.ReadAllText(file).Contains("libtorch", StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task WithoutFFmpegTheSentenceSaysHowToGetIt()
    {
        SoraProcess.Result result = await GenerateAsync(["a fish"], new() { ["SORA_FFMPEG"] = _folder.File("none") });
        RequireOneSentence(result, 2, "ffmpeg was not found");
    }

    [Fact]
    public async Task DamagedWeightsAreOneSentenceAndVerboseShowsTheRest()
    {
        using var model = new TemporaryFolder();
        TinyModel.CopyTo(model.Path);
        string path = model.File("vae", "diffusion_pytorch_model.safetensors");
        File.WriteAllBytes(path, File.ReadAllBytes(path)[..^1]);

        SoraProcess.Result result = await SoraProcess.RunAsync(["generate", "a fish", "--model", model.Path, "--quiet"], _folder.Path);
        RequireOneSentence(result, 2, path);
        result = await SoraProcess.RunAsync(["generate", "a fish", "--model", model.Path, "--quiet", "--verbose"], _folder.Path);
        Assert.Equal(2, result.ExitCode);
        Assert.Contains("   at Sora.", result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(SoraProcess.Interrupt)]
    [InlineData(SoraProcess.Terminate)]
    public async Task ASignalWhileDenoisingEndsItWithoutAFile(int signal)
    {
        SoraProcess.Result result = await SoraProcess.RunAsync(
            ["generate", "a fish", "--model", TinyModel.Folder, "--threads", "1", "--steps", "1000", "--size", "128x128", "--frames", "33"],
            _folder.Path, terminateWhen: "Denoising", signal: signal);
        Assert.Equal(130, result.ExitCode);
        Assert.EndsWith("sora: Interrupted.\n", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("Decoding", result.Error, StringComparison.Ordinal);
        Assert.Empty(result.Output);
        Assert.Empty(Written());
    }

    [Theory]
    [InlineData("(sleep 0.2; kill -TERM $PPID) <&- >&- 2>&- & kill -KILL $$", 130, "Interrupted.")]
    [InlineData("kill -KILL $$", 1, "was killed by signal 9 while writing")]
    public async Task AnFFmpegThatASignalEndsFirstCountsAsInterrupted(string end, int exitCode, string part)
    {
        // A terminal sends Ctrl-C to both processes, and which of them notices first is chance.
        using var scratch = new Scratch();
        scratch.Stub($"case \"$*\" in *encoder=*) exec ffmpeg \"$@\";; esac; {end}");
        SoraProcess.Result result = await GenerateAsync(["a fish", "--quiet"], new() { ["SORA_FFMPEG"] = scratch["stub.sh"] });
        RequireOneSentence(result, exitCode, part);
    }

    private string[] Written() =>
        [.. Directory.EnumerateFileSystemEntries(_folder.Path).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];

    private void RequireOneSentence(SoraProcess.Result result, int exitCode, string part)
    {
        Assert.True(result.ExitCode == exitCode, $"exit code {result.ExitCode}: {result.Error}");
        Assert.Empty(result.Output);
        Assert.StartsWith("sora: ", result.Error, StringComparison.Ordinal);
        Assert.Contains(part, result.Error, StringComparison.Ordinal);
        Assert.Equal(1, result.Error.Count(letter => letter == '\n'));
        Assert.Empty(Written());
    }

    private Task<SoraProcess.Result> GenerateAsync(params string[] arguments) => GenerateAsync(arguments, []);

    private Task<SoraProcess.Result> GenerateAsync(string[] arguments, Dictionary<string, string> environment) =>
        SoraProcess.RunAsync(["generate", .. arguments, "--model", TinyModel.Folder, "--threads", "1", "--precision", "full"], _folder.Path, environment: environment);
}
