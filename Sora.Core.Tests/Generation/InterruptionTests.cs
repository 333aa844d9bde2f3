using Sora.Frames;
using Sora.Tests.Engine;
using Sora.Tests.Weights;
using Sora.Weights;
using Xunit;

namespace Sora.Tests.Generation;

/// <summary>Cancelled and failed generations: the caller learns why, and nothing is left behind.</summary>
[Collection(LiveTensors.Name)]
public sealed class InterruptionTests : IDisposable
{
    private static readonly VideoRequest Fish = new("a red fish swims left") { Seed = 42, FrameCount = 9 };

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(GenerationStage.EncodingText, 0, 0)]
    [InlineData(GenerationStage.Denoising, 0, 0)]
    [InlineData(GenerationStage.Denoising, 2, 2)]
    [InlineData(GenerationStage.Denoising, 4, 4)]
    [InlineData(GenerationStage.Decoding, 0, 1)]
    [InlineData(GenerationStage.Decoding, 1, 1)]
    [InlineData(GenerationStage.Decoding, 5, 5)]
    public async Task ATokenEndsAGenerationWithinOneStep(GenerationStage stage, int step, int last)
    {
        using VideoGenerator generator = await TinyModel.LoadUsedAsync();
        var loaded = new Footprint();
        using var source = new CancellationTokenSource();
        var progress = ProgressLog.Cancelling(source, stage, step);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => generator.GenerateAsync(Fish, progress, source.Token));

        Assert.Equal((stage, last), (progress.Steps.Last(report => report.Step > 0 || report.Stage == stage).Stage, progress.Steps.Last(report => report.Stage == stage).Step));
        loaded.RequireUnchanged();
        Assert.NotEmpty(await Pixels.OfAsync(generator, Fish));
    }

    [Fact]
    public async Task ATokenThatIsAlreadyCancelledStartsNothing()
    {
        var start = new Footprint();
        var cancelled = new CancellationToken(canceled: true);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => TinyModel.LoadAsync(cancellationToken: cancelled));
        start.RequireUnchanged(TinyModel.Folder);
        using VideoGenerator generator = await TinyModel.LoadAsync();
        var progress = new ProgressLog();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => generator.GenerateAsync(Fish, progress, cancelled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await generator.StreamAsync(Fish, progress, cancelled).GetAsyncEnumerator(CancellationToken.None).MoveNextAsync());
        Assert.Empty(progress.Steps);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task ATokenEndsLoadingBetweenParts(int part)
    {
        var start = new Footprint();
        using var source = new CancellationTokenSource();
        var progress = ProgressLog.Cancelling(source, GenerationStage.LoadingModel, part);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => TinyModel.LoadAsync(null, progress, source.Token));
        start.RequireUnchanged(TinyModel.Folder);
    }

    [Fact]
    public async Task AWaitingGenerationCanBeCancelled()
    {
        using VideoGenerator generator = await TinyModel.LoadAsync();
        using var source = new CancellationTokenSource();
        Task<byte[]>? first = null;
        await using (IAsyncEnumerator<VideoFrame> frames = generator.StreamAsync(Fish with { FrameCount = 61 }).GetAsyncEnumerator())
        {
            Assert.True(await frames.MoveNextAsync());
            Task<GeneratedVideo> waiting = generator.GenerateAsync(Fish, cancellationToken: source.Token);
            first = Pixels.OfAsync(generator, Fish);
            await source.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
            Assert.False(first.IsCompleted);
        }
        Assert.NotEmpty(await first);
    }

    [Theory]
    [InlineData("text_encoder/model.safetensors", "encoder.final_layer_norm.weight", "The text encoder")]
    [InlineData("transformer/diffusion_pytorch_model.safetensors", "proj_out.bias", "The transformer")]
    [InlineData("vae/diffusion_pytorch_model.safetensors", "decoder.conv_out.bias", "The video decoder")]
    public async Task NumbersThatAreNoneEndAGenerationAtTheirStage(string file, string tensorName, string stage)
    {
        TinyModel.CopyTo(_folder.Path);
        FillWithNaN(_folder.File(file), tensorName);
        var start = new Footprint();
        using (VideoGenerator generator = await TinyModel.LoadAsync(_folder.Path))
        {
            SoraException failure = await Assert.ThrowsAnyAsync<SoraException>(() => generator.GenerateAsync(Fish));
            Assert.StartsWith($"{stage} gave NaN or infinity", failure.Message, StringComparison.Ordinal);
            var loaded = new Footprint();
            await Assert.ThrowsAnyAsync<SoraException>(() => generator.GenerateAsync(Fish));
            loaded.RequireUnchanged();
            failure = await Assert.ThrowsAnyAsync<SoraException>(async () => await generator.StreamAsync(Fish).GetAsyncEnumerator().MoveNextAsync());
            Assert.StartsWith($"{stage} gave NaN or infinity", failure.Message, StringComparison.Ordinal);
            loaded.RequireUnchanged();
        }
        start.RequireUnchanged(_folder.Path);
    }

    [Fact]
    public async Task AnErrorInTheProgressOfTheCallerReachesIt()
    {
        using VideoGenerator generator = await TinyModel.LoadUsedAsync();
        var loaded = new Footprint();
        var progress = new ProgressLog(report =>
        {
            if (report is { Stage: GenerationStage.Denoising, Step: 2 })
                throw new InvalidDataException();
        });
        await Assert.ThrowsAsync<InvalidDataException>(() => generator.GenerateAsync(Fish, progress));
        loaded.RequireUnchanged();
        Assert.NotEmpty(await Pixels.OfAsync(generator, Fish));
    }

    private static void FillWithNaN(string path, string tensorName)
    {
        SafetensorsEntry entry;
        using (var file = SafetensorsFile.Open(path))
            entry = file.Entries[tensorName];
        using FileStream stream = File.OpenWrite(path);
        stream.Position = entry.ByteOffset;
        for (long i = 0; i < entry.ElementCount; i++)
            stream.Write(BitConverter.GetBytes(float.NaN));
    }
}
