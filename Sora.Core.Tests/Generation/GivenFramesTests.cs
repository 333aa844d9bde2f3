using Sora.Conditioning;
using Sora.Frames;
using Sora.Latents;
using Sora.Tests.Conditioning;
using Sora.Tests.Engine;
using Sora.Tests.Weights;
using Sora.VideoVae;
using Sora.Weights;
using Xunit;

namespace Sora.Tests.Generation;

/// <summary>Videos from pictures and from other videos, under each way that a model takes them.</summary>
[Collection(LiveTensors.Name)]
public sealed class GivenFramesTests : IDisposable
{
    private static readonly VideoRequest Fish = new("a red fish swims left") { Seed = 42, FrameCount = 9 };
    private static readonly IReadOnlyList<VideoFrame> Video = TestFrames.Video(9);

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string> Kinds => ["replacement", "time"];

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task AKnownFirstFrameIsWhatTheAutoencoderMakesOfIt(string kind)
    {
        using VideoGenerator generator = await LoadAsync(kind);
        await using GeneratedVideo plain = await generator.GenerateAsync(Fish);
        await using GeneratedVideo video = await generator.GenerateAsync(Fish with { KnownFrames = [new(0, Video[3])] });
        Assert.Equal(RoundTrip([Video[3]]), video.Frames[0].Rgb.ToArray());
        // The others take notice of it.
        Assert.NotEqual(plain.Frames[8].Rgb.ToArray(), video.Frames[8].Rgb.ToArray());
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task AKnownBeginningIsWhatTheAutoencoderMakesOfIt(string kind)
    {
        using VideoGenerator generator = await LoadAsync(kind);
        await using GeneratedVideo video = await generator.GenerateAsync(Fish with { KnownFrames = [.. Video.Take(5).Select((frame, i) => new KnownFrame(i, frame))] });
        Assert.Equal(RoundTrip(Video.Take(5)), Pixels.Of(video.Frames.Take(5)));
    }

    [Fact]
    public async Task PerTokenTimeAndReplacementDiffer()
    {
        VideoRequest request = Fish with { KnownFrames = [new(8, Video[3])] };
        using VideoGenerator replacing = await LoadAsync("replacement");
        byte[] replaced = await Pixels.OfAsync(replacing, request);
        TinyModel.Create(_folder.File("two"), defaults: TinyModel.Defaults with { PerTokenTime = true });
        using VideoGenerator timed = await TinyModel.LoadAsync(_folder.File("two"));
        Assert.NotEqual(replaced, await Pixels.OfAsync(timed, request));
    }

    [Fact]
    public async Task AModelWithChannelsForFramesTakesThemAndNoOthers()
    {
        using VideoGenerator generator = await LoadAsync("channels");
        byte[] first = await Pixels.OfAsync(generator, Fish with { KnownFrames = [new(0, Video[3])] });
        byte[] both = await Pixels.OfAsync(generator, Fish with { KnownFrames = [new(8, Video[1]), new(0, Video[3])] });
        Assert.NotEqual(first, both);
        await RequireRefusedAsync(generator, Fish, "KnownFrames is empty; this model needs the first frame, index 0, and can hold the last, index 8, besides, and no other.");
        await RequireRefusedAsync(generator, Fish with { KnownFrames = [new(0, Video[0]), new(4, Video[1])] }, "KnownFrames names indices 0, 4;");
    }

    [Fact]
    public async Task AtStrengthZeroTheSourceComesBackAndAtOneAnotherVideoDoes()
    {
        using VideoGenerator generator = await LoadAsync("replacement");
        VideoRequest edit = new("a red fish") { Seed = 42, Source = [.. Video], Strength = 0 };
        await using GeneratedVideo same = await generator.GenerateAsync(edit);
        Assert.Equal((9, 32, 32), (same.Frames.Count, same.Frames[0].Width, same.Frames[0].Height));
        Assert.Equal(RoundTrip(Video), Pixels.Of(same.Frames));
        byte[] half = await Pixels.OfAsync(generator, edit with { Strength = 0.5 });
        Assert.NotEqual(Pixels.Of(same.Frames), half);
        Assert.NotEqual(half, await Pixels.OfAsync(generator, edit with { Strength = 0.5, Prompt = "a blue cat" }));
        // All steps from noise, in which a thousandth of the source is left at most.
        byte[] all = await Pixels.OfAsync(generator, edit with { Strength = 1 });
        byte[] none = await Pixels.OfAsync(generator, Fish with { Prompt = "a red fish" });
        Assert.InRange(all.Zip(none, (a, b) => Math.Abs(a - b)).Max(), 0, 1);
    }

    [Theory]
    [InlineData(10, 0.6, 6)]
    [InlineData(9, 0.6, 5)]
    [InlineData(10, 0.7, 7)]
    [InlineData(3, 0.2, 0)]
    [InlineData(7, 1.0, 7)]
    public async Task ProgressCountsTheStepsThatAreTaken(int steps, double strength, int taken)
    {
        using VideoGenerator generator = await LoadAsync("replacement");
        var progress = new ProgressLog();
        await using GeneratedVideo video = await generator.GenerateAsync(new("a fish") { Source = [.. Video.Take(5)], Steps = steps, Strength = strength, KnownFrames = [new(0, Video[0])] }, progress);
        Assert.Equal(
            [(GenerationStage.EncodingText, 0, 0), (GenerationStage.EncodingFrames, 0, 0), .. Enumerable.Range(0, taken + 1).Select(i => (GenerationStage.Denoising, i, taken))],
            progress.Steps.TakeWhile(step => step.Stage != GenerationStage.Decoding));
    }

    public static TheoryData<Func<VideoRequest>, string> BadRequests => new()
    {
        { () => Fish with { KnownFrames = [new(9, Video[0])] }, "KnownFrames names index 9, but the video has 9 frames; allowed: 0 to 8." },
        { () => Fish with { KnownFrames = [new(2, Video[0])], Width = 64 }, "The known frame at index 2 is 32x32 and the video is 64x32; they must be equal." },
        { () => Fish with { KnownFrames = [new(2, Video[0]), new(2, Video[1])] }, "KnownFrames has 2 frames for index 2; a place has one." },
        { () => Fish with { KnownFrames = [new(-1, Video[0])] }, "Index -1 is out of range; allowed: 0 to 999999, nearest: 0." },
        { () => Fish with { Source = [.. Video.Take(5)] }, "Source has 5 frames and FrameCount is 9; they must be equal." },
        { () => Fish with { Source = [.. Video.Take(4)], FrameCount = null }, "FrameCount 4 is not 4n + 1; nearest: 1, 5." },
        { () => Fish with { Source = [.. Video], Height = 48 }, "Source has frames of 32x32 and the video is 32x48; they must be equal." },
        { () => Fish with { Source = [] }, "Source has no frames; leave it null for a video from noise." },
        { () => Fish with { Strength = 0.5 }, "Strength is given without a Source; it says how much of a source is made anew." },
        { () => Fish with { Source = [.. Video], Strength = 1.5 }, "Strength 1.5 is out of range; allowed: 0 to 1, nearest: 1." },
        { () => Fish with { LowNoiseGuidanceScale = 3 }, "LowNoiseGuidanceScale is given, and this model has one transformer; GuidanceScale holds for all steps." },
    };

    [Theory]
    [MemberData(nameof(BadRequests), DisableDiscoveryEnumeration = true)]
    public async Task WhatCannotBeGivenIsRefusedBeforeWorkStarts(Func<VideoRequest> request, string message)
    {
        using VideoGenerator generator = await LoadAsync("replacement");
        await RequireRefusedAsync(generator, request, message);
    }

    [Theory]
    [InlineData("replacement")]
    [InlineData("time")]
    [InlineData("channels")]
    public async Task GivenFramesLeaveNothingBehind(string kind)
    {
        using VideoGenerator generator = await LoadAsync(kind);
        VideoRequest request = Fish with { KnownFrames = [new(0, Video[0])], Source = [.. Video], Strength = 0.5 };
        await Pixels.OfAsync(generator, request);
        var start = new Footprint();
        await Pixels.OfAsync(generator, request);
        using var stop = new CancellationTokenSource();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => generator.GenerateAsync(request, ProgressLog.Cancelling(stop, GenerationStage.Denoising, 1), stop.Token));
        start.RequireUnchanged();
    }

    private Task<VideoGenerator> LoadAsync(string kind)
    {
        TinyModel.Create(
            _folder.Path,
            kind == "channels" ? TinyModel.Transformer with { InChannels = 12 } : null,
            TinyModel.Defaults with { PerTokenTime = kind == "time" });
        return TinyModel.LoadAsync(_folder.Path);
    }

    private static Task RequireRefusedAsync(VideoGenerator generator, VideoRequest request, string message) => RequireRefusedAsync(generator, () => request, message);

    private static async Task RequireRefusedAsync(VideoGenerator generator, Func<VideoRequest> request, string message)
    {
        var progress = new ProgressLog();
        SoraException failure = await Assert.ThrowsAsync<SoraException>(() => generator.GenerateAsync(request(), progress));
        Assert.StartsWith(message, failure.Message, StringComparison.Ordinal);
        Assert.Empty(progress.Steps);
    }

    // What the autoencoder alone makes of frames.
    private static byte[] RoundTrip(IEnumerable<VideoFrame> frames)
    {
        using IDisposable noGradients = no_grad();
        using DisposeScope scope = NewDisposeScope();
        using var vae = new VideoAutoencoder(TinyModel.Vae, new CheckpointParameters(Path.Combine(TinyModel.Folder, "vae"), float32, CPU));
        using var normalizer = new LatentNormalizer(TinyModel.Vae, CPU);
        VideoFrame[] all = [.. frames];
        Tensor latents = new FrameEncoder(vae, normalizer, CPU).Encode(all, all[0].Width, all[0].Height);
        return Pixels.Of(FrameTensors.ToFrames(vae.Decode(normalizer.Restore(latents)), 0, 8));
    }
}
