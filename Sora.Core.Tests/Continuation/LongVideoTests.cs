using Sora.Conditioning;
using Sora.Frames;
using Sora.Tests.Conditioning;
using Sora.Tests.Engine;
using Sora.Tests.Generation;
using Sora.Tests.Weights;
using Xunit;

namespace Sora.Tests.Continuation;

/// <summary>Long videos in windows: what comes out, in what memory, and what is refused.</summary>
[Collection(LiveTensors.Name)]
public sealed class LongVideoTests : TinyGenerator
{
    // Windows of three latent frames, of which two are taken over.
    private static readonly VideoRequest Fish = new("a red fish swims left") { Seed = 42, Steps = 2, FrameCount = 29, WindowFrames = 9 };

    [Fact]
    public async Task FramesComeInOrderAndAreTheSameEveryTime()
    {
        List<VideoFrame> frames = await Generator.StreamAsync(Fish).ToListAsync();
        Assert.Equal(Enumerable.Range(0, 29), frames.Select(frame => frame.Index));
        Assert.Equal(frames.Select(frame => TimeSpan.FromSeconds(frame.Index / 8.0)), frames.Select(frame => frame.Timestamp));
        Assert.All(frames.Zip(frames.Skip(1)), pair => Assert.False(pair.First.Rgb.Span.SequenceEqual(pair.Second.Rgb.Span)));
        await using GeneratedVideo video = await Generator.GenerateAsync(Fish);
        Assert.Equal(Pixels.Of(video.Frames), Pixels.Of(frames));
        Assert.Equal([GenerationStage.EncodingText, GenerationStage.Denoising, GenerationStage.Decoding, GenerationStage.EncodingFrames], video.Timings.Select(timing => timing.Stage));
        Assert.NotEqual(Pixels.Of(frames), await Pixels.OfAsync(Generator, Fish with { Seed = 43 }));
    }

    [Fact]
    public async Task ALongerVideoBeginsLikeAShorterOne()
    {
        // The noise is a function of the absolute frame, and nothing later is known.
        byte[] little = await Pixels.OfAsync(Generator, Fish with { FrameCount = 13 }), much = await Pixels.OfAsync(Generator, Fish);
        Assert.Equal(little, much[..little.Length]);
        byte[] first = await Pixels.OfAsync(Generator, Fish with { FrameCount = 9, WindowFrames = null });
        Assert.Equal(first, much[..first.Length]);
    }

    [Fact]
    public async Task ALaterPromptThatIsCutIsTold()
    {
        string endless = string.Join(' ', Enumerable.Repeat("a dog runs", 500));
        await using GeneratedVideo video = await Generator.GenerateAsync(Fish with { FrameCount = 17, LaterPrompts = [new(8, endless)] });
        Assert.Contains(video.Notes, note => note.Contains("tokens", StringComparison.Ordinal));
    }

    [Fact]
    public async Task MemoryIsThatOfOneWindowHoweverManyThereAre()
    {
        var tensors = new List<long>();
        var bytes = new Dictionary<int, long>();
        // On the thread that generates, where each window begins: 100 windows of one step.
        var progress = new ProgressLog(report =>
        {
            if (report.Stage != GenerationStage.Denoising || report.Step == tensors.Count - 1)
                return;
            tensors.Add(Tensor.TotalCount);
            if (report.Step is 20 or 99)
                bytes[report.Step] = LeakTests.ResidentBytes();
        });
        VideoRequest request = Fish with { FrameCount = 405, Steps = 1 };
        int frames = 0;
        await foreach (VideoFrame _ in Generator.StreamAsync(request, progress))
            frames++;
        Assert.Equal(405, frames);
        Assert.Equal(101, tensors.Count);
        // From the second window on, all are alike.
        Assert.Single(tensors.Skip(2).Distinct());
        if (OperatingSystem.IsLinux())
            Assert.InRange(bytes[99], 0, bytes[20] * 1.03);
    }

    [Fact]
    public async Task StepsAndFramesAreCountedOverAllWindows()
    {
        var progress = new ProgressLog();
        await Generator.StreamAsync(Fish, progress).ToListAsync();
        (GenerationStage Stage, int Step, int StepCount)[] denoising = [.. progress.Steps.Where(step => step.Stage == GenerationStage.Denoising)];
        (GenerationStage Stage, int Step, int StepCount)[] decoding = [.. progress.Steps.Where(step => step.Stage == GenerationStage.Decoding)];
        // Nine frames, and four more with each window.
        Assert.All(denoising, step => Assert.Equal(6 * 2, step.StepCount));
        Assert.Equal(Enumerable.Range(0, 13), denoising.Select(step => step.Step).Distinct());
        Assert.All(decoding, step => Assert.Equal(29, step.StepCount));
        Assert.Equal([0, 1, 5, 9, 13, 17, 21, 25, 29], decoding.Select(step => step.Step).Distinct());
        Assert.DoesNotContain(progress.Steps, step => step.Stage == GenerationStage.EncodingFrames);
    }

    [Theory]
    [InlineData(GenerationStage.Denoising, 7)]
    [InlineData(GenerationStage.Decoding, 17)]
    public async Task CancelledBetweenWindowsItLeavesNothing(GenerationStage stage, int step)
    {
        await Generator.StreamAsync(Fish).ToListAsync();
        var before = new Footprint();
        using var stop = new CancellationTokenSource();
        ProgressLog progress = ProgressLog.Cancelling(stop, stage, step);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await Generator.StreamAsync(Fish, progress, stop.Token).ToListAsync(CancellationToken.None));
        before.RequireUnchanged();
        await foreach (VideoFrame frame in Generator.StreamAsync(Fish))
        {
            if (frame.Index == 14)
                break;
        }
        before.RequireUnchanged();
        Assert.Equal(29, (await Generator.StreamAsync(Fish).ToListAsync()).Count);
        before.RequireUnchanged();
    }

    [Fact]
    public async Task PartsThatAreLoadedForEachStageMakeTheSameVideo()
    {
        using VideoGenerator generator = await VideoGenerator.LoadAsync(TinyModel.Folder, new() { Device = "cpu", Precision = Precision.Full, Threads = 1, KeepComponents = false });
        VideoRequest request = Fish with { FrameCount = 17, LaterPrompts = [new(9, "a blue cat")] };
        Assert.Equal(await Pixels.OfAsync(Generator, request), await Pixels.OfAsync(generator, request));
    }

    [Fact]
    public async Task EveryConditioningGoesOn()
    {
        using var folder = new TemporaryFolder();
        TinyModel.Create(folder.File("time"), defaults: TinyModel.Defaults with { PerTokenTime = true });
        TinyModel.Create(folder.File("channels"), TinyModel.Transformer with { InChannels = 12 });
        using VideoGenerator timed = await TinyModel.LoadAsync(folder.File("time")), channels = await TinyModel.LoadAsync(folder.File("channels"));
        Assert.Equal(29, (await timed.StreamAsync(Fish).ToListAsync()).Count);
        // From a first frame, and to a last one.
        VideoRequest request = Fish with { KnownFrames = [new(0, TestFrames.Create(3)), new(28, TestFrames.Create(5))] };
        List<VideoFrame> frames = await channels.StreamAsync(request).ToListAsync();
        Assert.Equal(29, frames.Count);
        Assert.NotEqual(Pixels.Of(frames), await Pixels.OfAsync(channels, Fish with { KnownFrames = [new(0, TestFrames.Create(4))] }));
    }

    [Fact]
    public async Task KnownFramesAndPromptsChangeWhatComesAfterThem()
    {
        byte[] plain = await Pixels.OfAsync(Generator, Fish);
        byte[] known = await Pixels.OfAsync(Generator, Fish with { KnownFrames = [new(22, TestFrames.Create(3))] });
        byte[] prompted = await Pixels.OfAsync(Generator, Fish with { LaterPrompts = [new(17, "a blue cat")] });
        byte[] cut = await Pixels.OfAsync(Generator, Fish with { LaterPrompts = [new(15, "a red fish swims left") { Cut = true }] });
        int frame = 3 * 32 * 32;
        // The window that adds 21 to 24 has the known frame; the one from 17 the prompt; the shot the cut.
        foreach ((byte[] changed, int from) in new[] { (known, 21), (prompted, 17), (cut, 15) })
        {
            Assert.Equal(plain.Length, changed.Length);
            Assert.Equal(plain[..(from * frame)], changed[..(from * frame)]);
            Assert.NotEqual(plain[(from * frame)..((from + 1) * frame)], changed[(from * frame)..((from + 1) * frame)]);
        }
    }

    [Fact]
    public async Task AnEstimateCountsWindowsAndHasTheMemoryOfOne()
    {
        VideoRequest minute = Fish with { FrameCount = 481 };
        GenerationEstimate little = Generator.Estimate(Fish), much = Generator.Estimate(minute), one = Generator.Estimate(Fish with { FrameCount = 9 });
        Assert.Equal((6, 119, 1), (little.Windows, much.Windows, one.Windows));
        Assert.Equal((one.Tokens, one.Tokens), (little.Tokens, much.Tokens));
        Assert.Equal((12, 238), (little.Evaluations, much.Evaluations));
        Assert.Equal(little.PeakMemory, much.PeakMemory);
        Assert.Equal(little.TransformerOperations * 119 / 6, much.TransformerOperations, 1e-3 * much.TransformerOperations);
        Assert.Contains(much.Memory, stage => stage.Stage == GenerationStage.EncodingFrames);
        // What one window takes is enough for all, and not for one as long.
        using VideoGenerator limited = await VideoGenerator.LoadAsync(TinyModel.Folder, new() { Device = "cpu", Precision = Precision.Full, Threads = 1, MemoryLimit = much.PeakMemory });
        Assert.Equal(29, (await limited.StreamAsync(Fish).ToListAsync()).Count);
        Assert.True(limited.Estimate(minute).Fits);
        Assert.Contains("of memory", (await Assert.ThrowsAsync<SoraException>(() => limited.GenerateAsync(Fish with { FrameCount = 401, WindowFrames = 401 }))).Message, StringComparison.Ordinal);
    }

    public static TheoryData<Func<VideoRequest>, string> BadRequests => new()
    {
        { () => Fish with { WindowFrames = 8 }, "WindowFrames 8 is not 4n + 1; nearest: 5, 9." },
        { () => Fish with { WindowFrames = 1 }, "WindowFrames 1 is too short for a window, which begins with known frames; nearest: 5." },
        { () => Fish with { WindowFrames = 0 }, "WindowFrames 0 is out of range; allowed: 1 to 1000000, nearest: 1." },
        { () => Fish with { OverlapFrames = 0 }, "OverlapFrames 0 is out of range; allowed: 1 to 10000, nearest: 1." },
        { () => Fish with { Loop = true }, "A loop is one window, and has no prompts that take over; nearest WindowFrames: 29." },
        { () => Fish with { LaterPrompts = [new(29, "a cat")] }, "LaterPrompts has one from frame 29, but the video has 29 frames; allowed: up to 28." },
        { () => Fish with { LaterPrompts = [new(9, "a cat"), new(5, "a dog")] }, "LaterPrompts has one from frame 5 after one from frame 9; they must be in the order of time." },
        { () => Fish with { LaterPrompts = [new(9, "a cat"), new(10, "a dog")] }, "The prompt from frame 9 to 9 has less than a latent frame, which is 4 frames; let it last longer." },
        { () => Fish with { LaterPrompts = [new(0, "a cat")] }, "FirstFrame 0 is out of range; allowed: 1 to 999999, nearest: 1." },
        { () => Fish with { LaterPrompts = [new(9, " ")] }, "The prompt is empty" },
    };

    [Theory]
    [MemberData(nameof(BadRequests), DisableDiscoveryEnumeration = true)]
    public void WhatCannotBeMadeIsRefusedWithTheReason(Func<VideoRequest> request, string message) =>
        Assert.StartsWith(message, Assert.Throws<SoraException>(() => request().Resolve(Generator.Limits)).Message, StringComparison.Ordinal);

    [Fact]
    public void ModelsThatTakeGivenFramesSayWhatTheyCannot()
    {
        VideoRequest first = Fish with { KnownFrames = [new(0, TestFrames.Create(3))] };
        Assert.Contains("leave out the cut", Refusal(first with { LaterPrompts = [new(9, "a cat") { Cut = true }] }, KnownFrameRule.First), StringComparison.Ordinal);
        Assert.Contains("of one window; nearest FrameCount: 9.", Refusal(first, KnownFrameRule.FirstAndLast), StringComparison.Ordinal);

        string Refusal(VideoRequest request, KnownFrameRule rule) =>
            Assert.Throws<SoraException>(() => request.Resolve(Generator.Limits with { KnownFrames = rule })).Message;
    }
}
