using Sora.Drafts;
using Sora.Frames;
using Sora.Tests.Conditioning;
using Sora.Tests.Engine;
using Sora.Tests.Generation;
using Xunit;

namespace Sora.Tests.Drafts;

/// <summary>A draft and its refinement: their sizes, that they are two generations in a row, and what is refused.</summary>
[Collection(LiveTensors.Name)]
public sealed class DraftTests : TinyGenerator
{
    private static readonly VideoRequest Fish = new("a red fish swims left") { Seed = 42, Steps = 4, Width = 64, Height = 48, FrameCount = 5, Draft = 0.5 };

    [Theory]
    [InlineData(64, 48, 0.5, 32, 32)] // 24 lies between two multiples: the larger
    [InlineData(832, 480, 0.5, 416, 240)]
    [InlineData(832, 480, 0.4, 336, 192)]
    [InlineData(64, 48, 0.05, 16, 16)]
    [InlineData(64, 16, 0.95, 64, 16)]
    public void SidesAreRoundedToTheStride(int width, int height, double share, int draftWidth, int draftHeight) =>
        Assert.Equal(new PixelSize(draftHeight, draftWidth), DraftSize.Of(width, height, share, 16));

    [Fact]
    public async Task ADraftedVideoIsItsDraftScaledUpAndEdited()
    {
        VideoRequest drafted = Fish with { KnownFrames = [new(0, TestFrames.Create(3, 64, 48))], DraftStrength = 0.5 };
        VideoRequest draftRequest = DraftedRequest.DraftOf(drafted, Generator.Limits);
        Assert.Equal((32, 32, 5, 42L), (draftRequest.Width, draftRequest.Height, draftRequest.FrameCount, draftRequest.Seed));
        Assert.Equal((32, 32), (draftRequest.KnownFrames[0].Frame.Width, draftRequest.KnownFrames[0].Frame.Height));
        await using GeneratedVideo draft = await Generator.GenerateAsync(draftRequest);
        var full = new PixelSize(48, 64);
        VideoFrame[] scaled = [.. draft.Frames.Select(frame => new VideoFrame(frame.Index, 64, 48, BicubicResize.Apply(frame, 48, 64, 0, 0, full), frame.Timestamp))];
        byte[] byHand = await Pixels.OfAsync(Generator, drafted with { Draft = null, DraftStrength = null, Source = [.. scaled], Strength = 0.5 });
        await using GeneratedVideo video = await Generator.GenerateAsync(drafted);
        Assert.Equal(byHand, Pixels.Of(video.Frames));
        Assert.Equal((0.5, 0.5, null), (video.Request.Draft, video.Request.DraftStrength, video.Request.Source));
        Assert.Equal(byHand, Pixels.Of(await Generator.StreamAsync(drafted).ToListAsync()));
    }

    [Fact]
    public async Task ProgressTellsOfBoth()
    {
        var progress = new ProgressLog();
        await using GeneratedVideo video = await Generator.GenerateAsync(Fish with { DraftStrength = 0.75 }, progress);
        Assert.Equal([4, 3], progress.Steps.Where(step => step is { Stage: GenerationStage.Denoising, Step: > 0 } && step.Step == step.StepCount).Select(step => step.StepCount));
    }

    [Fact]
    public void TheEstimateCountsBoth()
    {
        VideoRequest drafted = Fish with { DraftStrength = 0.5 };
        GenerationEstimate both = Generator.Estimate(drafted), draft = Generator.Estimate(DraftedRequest.DraftOf(drafted, Generator.Limits));
        GenerationEstimate whole = Generator.Estimate(Fish with { Draft = null });
        Assert.Equal(4 + 2, both.Evaluations);
        Assert.Equal(draft.DecoderOperations + whole.DecoderOperations, both.DecoderOperations);
        Assert.True(both.TransformerOperations > draft.TransformerOperations + (0.4 * whole.TransformerOperations));
        Assert.True(both.TransformerOperations < draft.TransformerOperations + (0.7 * whole.TransformerOperations));
        Assert.Contains(GenerationStage.EncodingFrames, both.Memory.Select(stage => stage.Stage));
    }

    [Fact]
    public async Task ADraftLeavesNothingBehind()
    {
        await Pixels.OfAsync(Generator, Fish);
        var start = new Footprint();
        await Pixels.OfAsync(Generator, Fish);
        using var stop = new CancellationTokenSource();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Generator.GenerateAsync(Fish, ProgressLog.Cancelling(stop, GenerationStage.Denoising, 1), stop.Token));
        start.RequireUnchanged();
    }

    public static TheoryData<Func<VideoRequest>, string> BadRequests => new()
    {
        { () => Fish with { Draft = 1 }, "Draft 1 is out of range; allowed: 0.05 to 0.95, nearest: 0.95." },
        { () => Fish with { DraftStrength = 2 }, "DraftStrength 2 is out of range; allowed: 0 to 1, nearest: 1." },
        { () => Fish with { Draft = null, DraftStrength = 0.5 }, "DraftStrength is given without a Draft; it says how much of a draft is made anew." },
        { () => Fish with { Draft = 0.95 }, "Draft 0.95 of 64x48 is 64x48 in multiples of 16, no smaller; nearest: 0.75 (48x32)." },
        { () => Fish with { Width = 16, Height = 16 }, "Draft 0.5 of 16x16 is 16x16 in multiples of 16, no smaller; this is the model's smallest size." },
        { () => Fish with { Loop = true }, "Draft is given with Loop: a refined draft would not close; leave one of them out." },
        { () => Fish with { Source = [.. TestFrames.Video(5, 64, 48)] }, "Draft is given with a Source, which is what the video starts from; leave one of them out." },
    };

    [Theory]
    [MemberData(nameof(BadRequests), DisableDiscoveryEnumeration = true)]
    public async Task WhatCannotBeDraftedIsRefusedBeforeWorkStarts(Func<VideoRequest> request, string message)
    {
        var progress = new ProgressLog();
        SoraException failure = await Assert.ThrowsAsync<SoraException>(() => Generator.GenerateAsync(request(), progress));
        Assert.StartsWith(message, failure.Message, StringComparison.Ordinal);
        Assert.Empty(progress.Steps);
    }
}
