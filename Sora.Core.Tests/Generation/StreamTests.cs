using Sora.Frames;
using Sora.Tests.Engine;
using Xunit;

namespace Sora.Tests.Generation;

/// <summary>Frames as they are decoded.</summary>
[Collection(LiveTensors.Name)]
public class StreamTests
{
    private static readonly VideoRequest Fish = new("a red fish swims left") { Seed = 42, FrameCount = 25, Steps = 2 };

    [Fact]
    public async Task AStreamGivesTheFramesOfTheWholeVideo()
    {
        using VideoGenerator generator = await TinyModel.LoadAsync();
        var frames = new List<VideoFrame>();
        await foreach (VideoFrame frame in generator.StreamAsync(Fish))
            frames.Add(frame);
        await using GeneratedVideo video = await generator.GenerateAsync(Fish);
        Assert.Equal(Pixels.Of(video.Frames), Pixels.Of(frames));
        Assert.Equal(video.Frames.Select(frame => (frame.Index, frame.Timestamp)), frames.Select(frame => (frame.Index, frame.Timestamp)));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(6)]
    [InlineData(24)]
    public async Task LeavingAStreamFreesEverythingAndLetsTheNextGenerationRun(int taken)
    {
        using VideoGenerator generator = await TinyModel.LoadUsedAsync();
        var loaded = new Footprint();
        await foreach (VideoFrame frame in generator.StreamAsync(Fish))
        {
            if (frame.Index == taken)
                break;
        }
        loaded.RequireUnchanged();
        Assert.NotEmpty(await Pixels.OfAsync(generator, Fish with { FrameCount = 1 }));
        loaded.RequireUnchanged();
    }

    [Fact]
    public async Task AReaderThatIsSlowHoldsTheDecoderBack()
    {
        using VideoGenerator generator = await TinyModel.LoadAsync();
        var progress = new ProgressLog();
        await using IAsyncEnumerator<VideoFrame> frames = generator.StreamAsync(Fish with { FrameCount = 61 }, progress).GetAsyncEnumerator();
        Assert.True(await frames.MoveNextAsync());
        await Task.Delay(500);
        Assert.InRange(progress.Steps.Last().Step, 1, 17);
    }

    [Fact]
    public async Task ATokenEndsAStream()
    {
        using VideoGenerator generator = await TinyModel.LoadUsedAsync();
        var loaded = new Footprint();
        using var source = new CancellationTokenSource();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (VideoFrame frame in generator.StreamAsync(Fish).WithCancellation(source.Token))
            {
                if (frame.Index == 3)
                    await source.CancelAsync();
            }
        });
        loaded.RequireUnchanged();
        Assert.NotEmpty(await Pixels.OfAsync(generator, Fish with { FrameCount = 1 }));
    }

    [Fact]
    public async Task AnErrorInTheReadersCodeReachesItUnchanged()
    {
        using VideoGenerator generator = await TinyModel.LoadUsedAsync();
        var loaded = new Footprint();
        await Assert.ThrowsAsync<InvalidDataException>(async () =>
        {
            await foreach (VideoFrame _ in generator.StreamAsync(Fish))
                throw new InvalidDataException();
        });
        loaded.RequireUnchanged();
    }

    [Fact]
    public async Task AStreamReportsTheNotesOfTheWholeVideo()
    {
        using VideoGenerator generator = await TinyModel.LoadAsync();
        VideoRequest wordy = Fish with { Prompt = string.Join(' ', Enumerable.Repeat("a red fish swims left", 20)), FrameCount = 1 };
        var notes = new List<string>();
        var progress = new ProgressLog(report =>
        {
            if (report.Note is { } note)
                notes.Add(note);
        });
        await foreach (VideoFrame _ in generator.StreamAsync(wordy, progress))
        {
        }
        await using GeneratedVideo video = await generator.GenerateAsync(wordy);
        Assert.Contains("this end of it is not seen", Assert.Single(notes), StringComparison.Ordinal);
        Assert.Equal(video.Notes, notes);
    }
}
