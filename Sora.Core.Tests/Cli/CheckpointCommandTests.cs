using System.Text.Json;
using Sora.Tests.Weights;
using Xunit;

namespace Sora.Tests.Cli;

/// <summary>The commands that look at, make and convert models.</summary>
public sealed class CheckpointCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task AModelIsMadeLookedAtAndConverted()
    {
        SoraProcess.Result made = await SoraProcess.RunAsync(["init", "pocket", "--out", _folder.File("model"), "--seed", "5"]);
        Assert.Equal((0, ""), (made.ExitCode, made.Error));
        Assert.Contains("Sora's pocket model, random weights", made.Output, StringComparison.Ordinal);

        SoraProcess.Result converted = await SoraProcess.RunAsync(["convert", _folder.File("model"), "--out", _folder.File("f16"), "--precision", "f16"]);
        Assert.Equal((0, ""), (converted.ExitCode, converted.Error));

        SoraProcess.Result info = await SoraProcess.RunAsync(["info", _folder.File("f16"), "--json", "--size", "128x64", "--frames", "9"]);
        Assert.Equal((0, ""), (info.ExitCode, info.Error));
        using JsonDocument json = JsonDocument.Parse(info.Output);
        Assert.Equal("pocket", json.RootElement.GetProperty("model").GetString());
        Assert.True(json.RootElement.GetProperty("complete").GetBoolean());
        JsonElement memory = json.RootElement.GetProperty("memory");
        Assert.Equal(128, memory.GetProperty("width").GetInt32());
        // The sums of an estimate.
        using VideoGenerator generator = await VideoGenerator.LoadAsync(_folder.File("f16"), new() { Device = "cpu", Precision = Precision.BFloat16 });
        Assert.Equal(
            generator.Estimate(new VideoRequest("a video") { Width = 128, Height = 64, FrameCount = 9 }).Memory.Select(stage => (stage.Stage.ToString(), stage.Weights, stage.Activations)),
            memory.GetProperty("stages").EnumerateArray().Select(stage => (stage.GetProperty("stage").GetString()!, stage.GetProperty("weights").GetInt64(), stage.GetProperty("activations").GetInt64())));
        JsonElement transformer = json.RootElement.GetProperty("networks").EnumerateArray().Single(network => network.GetProperty("part").GetString() == "transformer");
        Assert.True(transformer.GetProperty("formats").GetProperty("F16").GetInt64() > 0.9 * transformer.GetProperty("parameters").GetInt64());
    }

    [Fact]
    public async Task ModelsAreMergedAndTheResultRuns()
    {
        foreach (string seed in (string[])["1", "2"])
            Assert.Equal(0, (await SoraProcess.RunAsync(["init", "pocket", "--out", _folder.File(seed), "--seed", seed])).ExitCode);
        SoraProcess.Result merged = await SoraProcess.RunAsync(["merge", _folder.File("1"), _folder.File("2"), "--out", _folder.File("mean")]);
        Assert.Equal((0, ""), (merged.ExitCode, merged.Error));
        SoraProcess.Result video = await SoraProcess.RunAsync(["generate", "a fish", "--model", _folder.File("mean"), "--steps", "1", "--size", "32x32", "--frames", "5", "-o", _folder.File("frames")]);
        Assert.Equal(0, video.ExitCode);
        SoraProcess.Result one = await SoraProcess.RunAsync(["merge", _folder.File("1") + ":0.3", _folder.File("2"), "--out", _folder.File("half")]);
        Assert.Equal(2, one.ExitCode);
        Assert.Contains($"no factor is given, and others have one; nearest: {_folder.File("2")}:0.7.", one.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TheInfoOfAModelIsReadable()
    {
        SoraProcess.Result info = await SoraProcess.RunAsync(["info"]);
        Assert.Equal((0, ""), (info.ExitCode, info.Error));
        Assert.Contains("Sora's pocket model, a folder in the layout of diffusers", info.Output, StringComparison.Ordinal);
        Assert.Contains("Made for 64x64, 17 frames at 8 a second: 4 steps, guidance 1, shift 5, euler-trailing\n", info.Output, StringComparison.Ordinal);
        Assert.Contains("by few-steps.safetensors; without it: 20 steps, guidance 2, shift 5, unipc\n", info.Output, StringComparison.Ordinal);
        Assert.Contains("multiples of 8, and 4n + 1 frames", info.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AQuantisedModelIsMadeAndRuns()
    {
        string model = _folder.File("model");
        SoraProcess.Result made = await SoraProcess.RunAsync(["init", "pocket", "--out", model, "--quantization", "q4_k"]);
        Assert.Equal((0, ""), (made.ExitCode, made.Error));
        Assert.Contains("Q4_K", (await SoraProcess.RunAsync(["info", model])).Output, StringComparison.Ordinal);
        SoraProcess.Result video = await SoraProcess.RunAsync(["generate", "a fish", "--model", model, "--steps", "1", "--size", "32x32", "--frames", "5",
            "--layer-streaming", "on", "--memory-limit", "2", "-o", _folder.File("frames")]);
        Assert.Equal(0, video.ExitCode);
        Assert.Equal(5, Directory.GetFiles(_folder.File("frames")).Length);
        SoraProcess.Result refused = await SoraProcess.RunAsync(["generate", "a fish", "--model", model, "--memory-limit", "0.001", "-o", _folder.File("none")]);
        Assert.Equal(2, refused.ExitCode);
        Assert.Contains("1.00 MB are available", refused.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ALoraIsDescribed()
    {
        string path = TestLora.Write(_folder.File("style.safetensors"), TestLora.ForBlocks(TestModel.Transformer));
        SoraProcess.Result info = await SoraProcess.RunAsync(["info", path]);
        Assert.Equal((0, ""), (info.ExitCode, info.Error));
        Assert.Contains("LoRA in the spelling Original: 36 parameters, 16 pairs of rank 2, 20 full differences", info.Output, StringComparison.Ordinal);
        using JsonDocument json = JsonDocument.Parse((await SoraProcess.RunAsync(["info", path, "--json"])).Output);
        Assert.Equal(16, json.RootElement.GetProperty("lora").GetProperty("pairs").GetInt32());
        Assert.Contains("blocks.0.attn1.to_q.weight", json.RootElement.GetProperty("changes").EnumerateArray().Select(name => name.GetString()));

        TestLora.Write(_folder.File("other.safetensors"), TestLora.Random("unet.down_blocks.0.to_q.lora_down.weight", 2, 3));
        SoraProcess.Result other = await SoraProcess.RunAsync(["info", _folder.File("other.safetensors")]);
        Assert.Equal(2, other.ExitCode);
        Assert.Contains("no part of a Wan LoRA", other.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WhatIsMissingIsTold()
    {
        SmallModel model = new(SmallModel.TextToVideo);
        model.WriteOriginal("transformer", _folder.File("wan.safetensors"));
        model.WriteOriginal("vae", _folder.File("vae.safetensors"));
        SoraProcess.Result info = await SoraProcess.RunAsync(["info", _folder.Path]);
        Assert.Equal((0, ""), (info.ExitCode, info.Error));
        Assert.Contains("original names:", info.Output, StringComparison.Ordinal);
        Assert.Contains("Cannot be used: ", info.Output, StringComparison.Ordinal);
        Assert.Contains("looked for a UMT5 text encoder 24 wide", info.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("There is no model 'wan'", "init", "wan", "--out", "x")]
    [InlineData("--out is missing", "init", "pocket")]
    [InlineData("Quantization 'q4' is unknown; known: q8_0, q4_k", "init", "pocket", "--out", "x", "--quantization", "q4")]
    [InlineData("vae is written as safetensors alone", "init", "pocket", "--out", "x", "--quantization", "q8_0", "--only", "vae")]
    [InlineData("Precision 'f12' is unknown; known: f32, f16, bf16", "convert", "x", "--out", "y", "--precision", "f12")]
    [InlineData("there is no such folder or file", "info", "no/such/model")]
    [InlineData("there is no such folder or file", "convert", "no/such/model", "--out", "y")]
    [InlineData("there is no such folder or file", "merge", "no/such/model:2", "x:-1", "--out", "y")]
    [InlineData("--out is missing", "merge", "a", "b")]
    public async Task BadRequestsAreOneSentence(string message, params string[] arguments)
    {
        SoraProcess.Result result = await SoraProcess.RunAsync(arguments, _folder.Path);
        Assert.Equal(2, result.ExitCode);
        Assert.Contains(message, result.Error, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Path));
    }
}
