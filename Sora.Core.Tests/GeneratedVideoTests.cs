using Sora.Frames;
using Xunit;

namespace Sora.Tests;

public sealed class GeneratedVideoTests : IDisposable
{
    private static readonly VideoRequest Resolved = new("A red fish") { Seed = 42, FramesPerSecond = 8, Steps = 3 };

    private readonly string folder = Directory.CreateTempSubdirectory("sora-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task SavingWritesEveryFrameAndAddsItsTime()
    {
        await using GeneratedVideo video = Video();
        string path = Path.Combine(folder, "frames");
        await video.SaveAsync(path);

        Assert.Equal(3, Directory.GetFiles(path, "*.png").Length);
        Assert.Equal([GenerationStage.Denoising, GenerationStage.Saving], video.Timings.Select(timing => timing.Stage));
        Assert.True(video.Timings[1].Elapsed > TimeSpan.Zero);
        Assert.Equal(42, video.Seed);
        Assert.Equal(8, video.FramesPerSecond);
    }

    [Fact]
    public async Task ACancelledSaveLeavesNothing()
    {
        using GeneratedVideo video = Video();
        using var cancellation = new CancellationTokenSource();
        await cancellation.CancelAsync();

        Assert.ThrowsAny<OperationCanceledException>(() => video.Save(Path.Combine(folder, "fish.mp4"), cancellation.Token));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => video.SaveAsync(Path.Combine(folder, "fish.mp4"), cancellation.Token));
        Assert.Empty(Directory.GetFileSystemEntries(folder));
    }

    [Fact]
    public void ADisposedVideoHasNoFrames()
    {
        GeneratedVideo video = Video();
        video.Dispose();
        video.Dispose();
        Assert.Throws<ObjectDisposedException>(() => video.Frames);
        Assert.Throws<ObjectDisposedException>(() => video.Save(Path.Combine(folder, "fish.mp4")));
        Assert.Empty(Directory.GetFileSystemEntries(folder));
    }

    [Fact]
    public void ARequestThatIsNotResolvedMakesNoVideo()
    {
        VideoFrame frame = Frame(0);
        Assert.Throws<ArgumentException>(() => new GeneratedVideo(Resolved with { Seed = null }, [frame], [], []));
        Assert.Throws<ArgumentException>(() => new GeneratedVideo(Resolved with { FramesPerSecond = null }, [frame], [], []));
        Assert.Throws<ArgumentException>(() => new GeneratedVideo(Resolved, [], [], []));
    }

    private static GeneratedVideo Video() => new(
        Resolved, [Frame(0), Frame(1), Frame(2)], [new(GenerationStage.Denoising, TimeSpan.FromSeconds(1))], []);

    private static VideoFrame Frame(int index) => new(index, 4, 2, new byte[4 * 2 * 3], TimeSpan.FromSeconds(index / 8.0));
}
