using Sora.Tests.Engine;
using Sora.Tests.Weights;
using Xunit;

namespace Sora.Tests.Generation;

/// <summary>Whole videos with transformers whose blocks are read as they are used.</summary>
[Collection(LiveTensors.Name)]
public sealed class LayerStreamingTests : IDisposable
{
    private static readonly VideoRequest Fish = new("a red fish swims left") { Seed = 42, Steps = 6 };

    private readonly TemporaryFolder _folder = new();

    public LayerStreamingTests() => TinyModel.Create(_folder.Path, TinyModel.Transformer with { NumLayers = 4 }, twoExperts: true);

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task TheVideoIsTheSameAndNothingIsLeft(bool keep)
    {
        using VideoGenerator resident = await LoadAsync(streaming: false, keep: false), streamed = await LoadAsync(streaming: true, keep);
        byte[] expected = await Pixels.OfAsync(resident, Fish);
        Assert.Equal(expected, await Pixels.OfAsync(streamed, Fish));
        Assert.Equal(expected, await Pixels.OfAsync(streamed, Fish));
        Assert.True(Denoising(streamed).IsStreamed);
        Assert.True(Denoising(streamed).Weights < Denoising(resident).Weights);
    }

    [Fact]
    public async Task ACancelledGenerationLeavesNothingAndTheNextIsWhole()
    {
        using VideoGenerator generator = await LoadAsync(streaming: true, keep: false);
        byte[] expected = await Pixels.OfAsync(generator, Fish);
        var start = new Footprint();
        using var stop = new CancellationTokenSource();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => generator.GenerateAsync(Fish, ProgressLog.Cancelling(stop, GenerationStage.Denoising, 2), stop.Token));
        start.RequireUnchanged(_folder.Path);
        Assert.Equal(expected, await Pixels.OfAsync(generator, Fish));
        start.RequireUnchanged(_folder.Path);
    }

    [Fact]
    public async Task ByDefaultWhatDoesNotFitIsStreamed()
    {
        using VideoGenerator ample = await LoadAsync(streaming: null, keep: false);
        StageMemory resident = Denoising(ample);
        Assert.False(resident.IsStreamed);
        using VideoGenerator tight = await LoadAsync(streaming: null, keep: false, resident.Weights);
        StageMemory streamed = Denoising(tight);
        Assert.True(streamed.IsStreamed);
        Assert.True(streamed.Weights < resident.Weights);
    }

    private static StageMemory Denoising(VideoGenerator generator) =>
        generator.Estimate(Fish).Memory.Single(stage => stage.Stage == GenerationStage.Denoising);

    private Task<VideoGenerator> LoadAsync(bool? streaming, bool keep, long? limit = null) => VideoGenerator.LoadAsync(
        _folder.Path,
        new() { Device = "cpu", Precision = Precision.Full, Threads = 1, KeepComponents = keep, LayerStreaming = streaming, MemoryLimit = limit });
}
