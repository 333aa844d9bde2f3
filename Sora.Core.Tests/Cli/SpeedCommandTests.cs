using Sora.Tests.Generation;
using Sora.Tests.Weights;
using Xunit;

namespace Sora.Tests.Cli;

/// <summary>The options of speed and memory, on the command line.</summary>
public sealed class SpeedCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task TheStepCacheAndTheTilesAreToldAndRecorded()
    {
        SoraProcess.Result result = await GenerateAsync("a red fish", "-o", "fish.gif", "--size", "160x32", "--steps", "3", "--guidance", "1", "--seed", "7", "--step-cache", "1", "--vae-tile", "128");
        Assert.True(result.ExitCode == 0, result.Error);
        Assert.Contains("Note: The step cache skipped all blocks but the first at 2 of 3 evaluations of the transformer.", result.Error, StringComparison.Ordinal);
        Assert.Contains("Note: The video decoder worked in 2 overlapping tiles.", result.Error, StringComparison.Ordinal);
        GenerationRecord record = GenerationRecord.Read(_folder.File("fish.gif"))!;
        Assert.Equal((1.0, 128), (record.Request.StepCache, record.VaeTileSize));
    }

    [Theory]
    [InlineData("--step-cache", "2", "StepCache 2 is out of range; allowed: 0 to 1, nearest: 1.")]
    [InlineData("--vae-tile", "-1", "VaeTileSize -1 is out of range; allowed: 0 to 16384, nearest: 0.")]
    public async Task WhatIsOutOfRangeIsRefused(string option, string value, string message)
    {
        SoraProcess.Result result = await GenerateAsync("a red fish", "-o", "fish.gif", option, value);
        Assert.Equal(2, result.ExitCode);
        Assert.Contains(message, result.Error, StringComparison.Ordinal);
    }

    private Task<SoraProcess.Result> GenerateAsync(params string[] arguments) =>
        SoraProcess.RunAsync(["generate", .. arguments, "--model", TinyModel.Folder, "--threads", "1", "--precision", "full"], _folder.Path);
}
