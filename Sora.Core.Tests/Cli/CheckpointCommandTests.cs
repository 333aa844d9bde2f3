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
        Assert.Equal(128, json.RootElement.GetProperty("memory").GetProperty("width").GetInt32());
        JsonElement transformer = json.RootElement.GetProperty("networks").EnumerateArray().Single(network => network.GetProperty("part").GetString() == "transformer");
        Assert.True(transformer.GetProperty("formats").GetProperty("F16").GetInt64() > 0.9 * transformer.GetProperty("parameters").GetInt64());
    }

    [Fact]
    public async Task TheInfoOfAModelIsReadable()
    {
        SoraProcess.Result info = await SoraProcess.RunAsync(["info"]);
        Assert.Equal((0, ""), (info.ExitCode, info.Error));
        Assert.Contains("Sora's pocket model, a folder in the layout of diffusers", info.Output, StringComparison.Ordinal);
        Assert.Contains("Made for 64x64, 17 frames at 8 a second: 20 steps", info.Output, StringComparison.Ordinal);
        Assert.Contains("multiples of 16, and 4n + 1 frames", info.Output, StringComparison.Ordinal);
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
    [InlineData("Precision 'f12' is unknown; known: f32, f16, bf16", "convert", "x", "--out", "y", "--precision", "f12")]
    [InlineData("there is no such folder or file", "info", "no/such/model")]
    [InlineData("there is no such folder or file", "convert", "no/such/model", "--out", "y")]
    public async Task BadRequestsAreOneSentence(string message, params string[] arguments)
    {
        SoraProcess.Result result = await SoraProcess.RunAsync(arguments, _folder.Path);
        Assert.Equal(2, result.ExitCode);
        Assert.Contains(message, result.Error, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Path));
    }
}
