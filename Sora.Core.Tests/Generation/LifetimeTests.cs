using Sora.Frames;
using Sora.Tests.Engine;
using Sora.Tests.Weights;
using Xunit;

namespace Sora.Tests.Generation;

/// <summary>Several generations at a time, and the end of a generator.</summary>
[Collection(LiveTensors.Name)]
public class LifetimeTests
{
    private static readonly VideoRequest Fish = new("a red fish swims left") { Seed = 42 };
    private static readonly VideoRequest Cat = new("a blue cat") { Seed = 7, Width = 48, FrameCount = 9, Sampler = Sampler.Euler };

    [Theory]
    [InlineData(Precision.Full)]
    [InlineData(Precision.BFloat16)]
    [InlineData(Precision.Int8)]
    public async Task AGeneratorLeavesNothingBehind(Precision precision)
    {
        await LoadAndGenerateAsync(precision); // What is made once a process is made now.
        var start = new Footprint();
        await LoadAndGenerateAsync(precision);
        start.RequireUnchanged(TinyModel.Folder);
    }

    [Fact]
    public async Task GenerationsAtOnceEqualThoseInTurn()
    {
        using VideoGenerator generator = await TinyModel.LoadAsync();
        byte[] fish = await Pixels.OfAsync(generator, Fish), cat = await Pixels.OfAsync(generator, Cat);
        byte[][] both = await Task.WhenAll(Pixels.OfAsync(generator, Fish), Pixels.OfAsync(generator, Cat), Pixels.OfAsync(generator, Fish));
        Assert.Equal([fish, cat, fish], both);
    }

    [Fact]
    public async Task TwoGeneratorsRunAtOnce()
    {
        using VideoGenerator one = await TinyModel.LoadAsync(), two = await TinyModel.LoadAsync();
        byte[] fish = await Pixels.OfAsync(one, Fish), cat = await Pixels.OfAsync(two, Cat);
        for (int i = 0; i < 5; i++)
            Assert.Equal([fish, cat], await Task.WhenAll(Pixels.OfAsync(one, Fish), Pixels.OfAsync(two, Cat)));
    }

    [Fact]
    public async Task ADisposedGeneratorSaysSo()
    {
        VideoGenerator generator = await TinyModel.LoadAsync();
        generator.Dispose();
        generator.Dispose();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => generator.GenerateAsync(Fish));
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await generator.StreamAsync(Fish).GetAsyncEnumerator().MoveNextAsync());
    }

    [Fact]
    public async Task DisposingStopsWhatRunsAndWhatWaits()
    {
        var start = new Footprint();
        VideoGenerator generator = await TinyModel.LoadAsync();
        using var queued = new ManualResetEventSlim();
        var disposal = new Thread(generator.Dispose);
        // Held in its first step until the generator is being disposed, or a busy machine could finish all steps first.
        var progress = new ProgressLog(report =>
        {
            if (report is not { Stage: GenerationStage.Denoising, Step: 1 })
                return;
            queued.Wait();
            disposal.Start();
            SpinWait.SpinUntil(() => IsDisposed(generator));
        });
        Task<GeneratedVideo> running = generator.GenerateAsync(Fish, progress);
        Task<GeneratedVideo> waiting = generator.GenerateAsync(Fish);
        queued.Set();
        await Task.WhenAny(Task.WhenAll(running, waiting)); // Their errors are looked at below.
        disposal.Join();

        start.RequireUnchanged(TinyModel.Folder);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => waiting);
    }

    private static bool IsDisposed(VideoGenerator generator)
    {
        try
        {
            generator.Batches([]);
            return false;
        }
        catch (ObjectDisposedException)
        {
            return true;
        }
    }

    [Fact]
    public async Task DisposingStopsAStreamThatNobodyReads()
    {
        _ = TinyModel.Folder; // What is made once a process is made now.
        var start = new Footprint();
        VideoGenerator generator = await TinyModel.LoadAsync();
        await using IAsyncEnumerator<VideoFrame> frames = generator.StreamAsync(Fish with { FrameCount = 61, Steps = 1 }).GetAsyncEnumerator();
        Assert.True(await frames.MoveNextAsync());

        generator.Dispose();

        start.RequireUnchanged(TinyModel.Folder);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            while (await frames.MoveNextAsync())
            {
            }
        });
    }

    private static async Task LoadAndGenerateAsync(Precision precision)
    {
        using VideoGenerator generator = await VideoGenerator.LoadAsync(TinyModel.Folder, new() { Device = "cpu", Precision = precision, Threads = 1 });
        await Pixels.OfAsync(generator, Fish);
        await Pixels.OfAsync(generator, Cat with { GuidanceScale = 1 });
    }

    [Fact]
    public async Task AFinishedVideoOutlivesTheFilesOfItsModel()
    {
        using var folder = new TemporaryFolder();
        TinyModel.CopyTo(folder.Path);
        using (VideoGenerator whole = await TinyModel.LoadAsync(folder.Path))
            Assert.Equal(16, whole.RecordOf(Fish).ModelFingerprint!.Length);

        // Hashing begins when everything is loaded, and finds one file gone.
        var progress = new ProgressLog(report =>
        {
            if (report is { Stage: GenerationStage.LoadingModel, Step: > 0 } && report.Step == report.StepCount)
                File.Delete(folder.File("tokenizer", "spiece.model"));
        });
        using VideoGenerator generator = await TinyModel.LoadAsync(folder.Path, progress);
        await using GeneratedVideo video = await generator.GenerateAsync(Fish);
        Assert.Equal(5, video.Frames.Count);
        Assert.Contains("does not tell its model's hash. The tokenizer ", Assert.Single(video.Notes), StringComparison.Ordinal);
        Assert.Null(video.Record.ModelFingerprint);
        Assert.Contains("cannot be read", Assert.Throws<SoraException>(() => generator.RecordOf(Fish)).Message, StringComparison.Ordinal);
    }
}
