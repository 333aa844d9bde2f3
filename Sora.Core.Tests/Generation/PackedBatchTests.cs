using Sora.Conditioning;
using Sora.Frames;
using Sora.Tests.Conditioning;
using Sora.Tests.Engine;
using Sora.Tests.Weights;
using Xunit;

namespace Sora.Tests.Generation;

/// <summary>Several requests at once.</summary>
[Collection(LiveTensors.Name)]
public sealed class PackedBatchTests : TinyGenerator
{
    private static readonly VideoRequest Fish = new("a red fish swims left") { Seed = 42, Steps = 3 };

    private static readonly VideoRequest[] Different =
    [
        Fish,
        Fish with { Prompt = "a blue cat", Width = 64, Height = 16, FrameCount = 9, Seed = 1, FramesPerSecond = 4 },
        Fish with { FrameCount = 1, GuidanceScale = 1 },
        Fish with { Width = 16, Height = 48, FrameCount = 13, Loop = true, GuidanceScale = 2 },
        Fish with { KnownFrames = [new KnownFrame(0, TestFrames.Create(3))], NegativePrompt = "a dog", GuidanceInterval = new(0.3f, 0.9f) },
        Fish with { Seed = 43, VariationSeed = 5 },
    ];

    [Theory]
    [InlineData(Sampler.Euler)]
    [InlineData(Sampler.UniPC)]
    [InlineData(Sampler.Heun)]
    [InlineData(Sampler.DpmPlusPlus2M)]
    [InlineData(Sampler.Lcm)]
    public async Task RequestsOfDifferentSizesTogetherGiveTheVideosThatTheyGiveAlone(Sampler sampler)
    {
        VideoRequest[] requests = [.. Different.Select(request => request with { Sampler = sampler })];
        Assert.Single(Generator.Batches(requests));
        IReadOnlyList<GeneratedVideo> together = await Generator.GenerateAsync(requests);
        Assert.Equal(requests.Length, together.Count);
        for (int i = 0; i < requests.Length; i++)
        {
            await using GeneratedVideo alone = await Generator.GenerateAsync(requests[i]);
            Assert.Equal(alone.Request, together[i].Request);
            Assert.Equal(alone.Record, together[i].Record);
            Assert.Equal(alone.Frames.Select(frame => (frame.Index, frame.Timestamp, frame.Width, frame.Height)), together[i].Frames.Select(frame => (frame.Index, frame.Timestamp, frame.Width, frame.Height)));
            RequireEqualWithinRounding(alone.Frames, together[i].Frames);
        }
    }

    [Fact]
    public async Task TheOrderOfABatchAndWhoIsInItDoNotMatter()
    {
        IReadOnlyList<GeneratedVideo> forward = await Generator.GenerateAsync(Different), backward = await Generator.GenerateAsync([.. Different.Reverse()]);
        for (int i = 0; i < Different.Length; i++)
            RequireEqualWithinRounding(forward[i].Frames, backward[^(i + 1)].Frames);
    }

    [Fact]
    public async Task WhatTheSolverDoesDifferentlyRunsInBatchesOfItsOwn()
    {
        VideoFrame[] source = [.. TestFrames.Video(5)];
        VideoRequest[] requests =
        [
            Fish, Fish with { Steps = 4 }, Fish with { Seed = 2 }, Fish with { Sampler = Sampler.Euler }, Fish with { Shift = 2 }, Fish with { Source = [.. source], Strength = 0.7 },
            Fish with { Steps = 4, Seed = 3 }, Fish with { Source = [.. source], Strength = 0.75, Seed = 4 }, Fish with { Source = [.. source], Strength = 1, Seed = 5 },
        ];
        long[][] seeds = [.. Generator.Batches(requests).Select(batch => batch.Select(request => request.Seed!.Value).ToArray())];
        Assert.Equal([[42, 2, 5], [42, 3], [42], [42], [42, 4]], seeds);
        IReadOnlyList<GeneratedVideo> videos = await Generator.GenerateAsync(requests);
        for (int i = 0; i < requests.Length; i++)
        {
            Assert.Equal(requests[i].Resolve(Generator.Limits), videos[i].Request);
            await using GeneratedVideo alone = await Generator.GenerateAsync(requests[i]);
            RequireEqualWithinRounding(alone.Frames, videos[i].Frames);
        }
    }

    [Fact]
    public async Task TwoExpertsTakeTheStepsOfABatchInTurn()
    {
        using var folder = new TemporaryFolder();
        TinyModel.Create(folder.Path, twoExperts: true);
        using VideoGenerator generator = await TinyModel.LoadAsync(folder.Path);
        VideoRequest[] requests = [Fish with { Steps = 6 }, Fish with { Steps = 6, Seed = 7, Width = 16, LowNoiseGuidanceScale = 1 }];
        IReadOnlyList<GeneratedVideo> together = await generator.GenerateAsync(requests);
        for (int i = 0; i < requests.Length; i++)
        {
            await using GeneratedVideo alone = await generator.GenerateAsync(requests[i]);
            RequireEqualWithinRounding(alone.Frames, together[i].Frames);
        }
    }

    [Fact]
    public async Task ABatchIsAsLargeAsMemoryAndTheOptionAllow()
    {
        VideoRequest large = Fish with { Width = 96, Height = 96, Steps = 1, Seed = null };
        VideoRequest[] requests = [.. Enumerable.Repeat(large, 7)];
        using (VideoGenerator three = await LoadAsync(new() { BatchSize = 3 }))
            Assert.Equal([3, 3, 1], three.Batches(requests).Select(batch => batch.Count));
        // Denoising needs more than decoding, here, from some number of videos on.
        long one = Generator.Estimate(large).PeakMemory;
        long denoising = Generator.Estimate(large).Memory.Single(stage => stage.Stage == GenerationStage.Denoising).Activations;
        long decoding = Generator.Estimate(large).Memory.Single(stage => stage.Stage == GenerationStage.Decoding).Activations;
        int most = (int)(decoding / denoising) + 2;
        requests = [.. Enumerable.Repeat(large, (2 * most) + 1)];
        using VideoGenerator little = await LoadAsync(new() { MemoryLimit = one - decoding + (most * denoising) });
        Assert.Equal([most, most, 1], little.Batches(requests).Select(batch => batch.Count));
        Assert.Equal(most + 1, (await little.GenerateAsync(requests[..(most + 1)])).Select(video => video.Seed).Distinct().Count());
        using VideoGenerator none = await LoadAsync(new() { MemoryLimit = one - 1 });
        var progress = new ProgressLog();
        SoraException refused = await Assert.ThrowsAsync<SoraException>(() => none.GenerateAsync([Fish with { FrameCount = 1, Width = 16, Height = 16 }, large], progress));
        Assert.Contains("96x96 with 5 frames takes ", refused.Message, StringComparison.Ordinal);
        Assert.Empty(progress.Steps);
    }

    [Fact]
    public async Task OneProgressTellsTheWholeBatch()
    {
        var progress = new ProgressLog();
        IReadOnlyList<GeneratedVideo> videos = await Generator.GenerateAsync([Fish, Fish with { FrameCount = 9 }], progress);
        Assert.Equal(Enumerable.Range(0, 4).Select(step => (GenerationStage.Denoising, step, 3)), progress.Steps.Where(step => step.Stage == GenerationStage.Denoising));
        Assert.Equal([0, 1, 5, 6, 10, 14], progress.Steps.Where(step => step.Stage == GenerationStage.Decoding).Select(step => step.Step));
        Assert.All(progress.Steps.Where(step => step.Stage == GenerationStage.Decoding), step => Assert.Equal(14, step.StepCount));
        Assert.Equal(videos[0].Timings, videos[1].Timings);
    }

    [Fact]
    public async Task ABatchLeavesNothingBehindAlsoWhenItIsCancelled()
    {
        await Generator.GenerateAsync(Different);
        var start = new Footprint();
        await Generator.GenerateAsync(Different);
        start.RequireUnchanged();
        using var source = new CancellationTokenSource();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            Generator.GenerateAsync(Different, ProgressLog.Cancelling(source, GenerationStage.Denoising, 2), source.Token));
        start.RequireUnchanged();
    }

    [Fact]
    public async Task ABadRequestAmongGoodOnesStartsNothing()
    {
        var progress = new ProgressLog();
        await Assert.ThrowsAsync<SoraException>(() => Generator.GenerateAsync([Fish, Fish with { Width = 17 }], progress));
        Assert.Empty(progress.Steps);
        Assert.Empty(await Generator.GenerateAsync([]));
        Assert.Equal("BatchSize 0 is out of range; allowed: 1 to 1000, nearest: 1.", Assert.Throws<SoraException>(() => new VideoGeneratorOptions { BatchSize = 0 }).Message);
    }

    private static Task<VideoGenerator> LoadAsync(VideoGeneratorOptions options) =>
        VideoGenerator.LoadAsync(TinyModel.Folder, options with { Device = "cpu", Precision = Precision.Full, Threads = 1 });

    // Latents that differ by rounding may round to neighbouring levels.
    private static void RequireEqualWithinRounding(IReadOnlyList<VideoFrame> expected, IReadOnlyList<VideoFrame> actual)
    {
        byte[] a = Pixels.Of(expected), b = Pixels.Of(actual);
        Assert.Equal(a.Length, b.Length);
        Assert.True(a.Distinct().Count() > 20, "A video without a picture proves nothing.");
        Assert.InRange(a.Zip(b).Max(pair => Math.Abs(pair.First - pair.Second)), 0, 1);
        Assert.InRange(a.Zip(b).Count(pair => pair.First != pair.Second), 0, a.Length / 200);
    }
}
