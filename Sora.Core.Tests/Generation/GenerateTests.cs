using Sora.Frames;
using Sora.Tests.Engine;
using Xunit;

namespace Sora.Tests.Generation;

/// <summary>What a generation gives for a request.</summary>
[Collection(LiveTensors.Name)]
public sealed class GenerateTests : TinyGenerator
{
    private static readonly VideoRequest Fish = new("a red fish swims left") { Seed = 42 };

    [Fact]
    public async Task TheModelsDefaultsFillTheRequest()
    {
        await using GeneratedVideo video = await Generator.GenerateAsync(new VideoRequest("a fish"));
        Assert.Equal(5, video.Frames.Count);
        Assert.All(video.Frames, frame => Assert.Equal((32, 32), (frame.Width, frame.Height)));
        Assert.Equal((32, 32, 5, 8), (video.Request.Width, video.Request.Height, video.Request.FrameCount, video.FramesPerSecond));
        Assert.Equal((4, 5f, 3f, Sampler.UniPC, ""), (video.Request.Steps, video.Request.GuidanceScale, video.Request.Shift, video.Request.Sampler, video.Request.NegativePrompt));
        Assert.Equal(video.Seed, video.Request.Seed);
        Assert.Empty(video.Notes);
    }

    [Theory]
    [InlineData(32, 32, 1)]
    [InlineData(16, 16, 5)]
    [InlineData(32, 64, 9)]
    [InlineData(96, 16, 13)]
    public async Task EverySizeAndLengthThatDividesIsMade(int width, int height, int frames)
    {
        await using GeneratedVideo video = await Generator.GenerateAsync(Fish with { Width = width, Height = height, FrameCount = frames, FramesPerSecond = 10 });
        Assert.Equal(frames, video.Frames.Count);
        Assert.All(video.Frames, frame => Assert.Equal((width, height, 3 * width * height), (frame.Width, frame.Height, frame.Rgb.Length)));
        Assert.Equal(Enumerable.Range(0, frames), video.Frames.Select(frame => frame.Index));
        Assert.Equal(Enumerable.Range(0, frames).Select(i => TimeSpan.FromSeconds(i / 10.0)), video.Frames.Select(frame => frame.Timestamp));
    }

    [Theory]
    [InlineData(40, 32, 5, "Width 40 is not a multiple of 16; nearest: 32, 48.")]
    [InlineData(32, 8, 5, "Height 8 is not a multiple of 16; nearest: 16.")]
    [InlineData(32, 32, 6, "FrameCount 6 is not 4n + 1; nearest: 5, 9.")]
    [InlineData(31, 33, 4, "Width 31 is not a multiple of 16; nearest: 16, 32. Height 33 is not a multiple of 16; nearest: 32, 48. FrameCount 4 is not 4n + 1; nearest: 1, 5.")]
    public async Task ASizeThatDoesNotDivideIsRefusedWithTheNearest(int width, int height, int frames, string message)
    {
        VideoRequest request = Fish with { Width = width, Height = height, FrameCount = frames };
        Assert.Equal(message, (await Assert.ThrowsAsync<SoraException>(() => Generator.GenerateAsync(request))).Message);
        Assert.Equal(message, (await Assert.ThrowsAsync<SoraException>(async () => await Generator.StreamAsync(request).GetAsyncEnumerator().MoveNextAsync())).Message);
    }

    [Fact]
    public async Task TheSameRequestGivesTheSameBytes()
    {
        byte[] first = await Pixels.OfAsync(Generator, Fish);
        Assert.Equal(first, await Pixels.OfAsync(Generator, Fish));
        using VideoGenerator other = await TinyModel.LoadAsync();
        Assert.Equal(first, await Pixels.OfAsync(other, Fish));
        await using GeneratedVideo drawn = await Generator.GenerateAsync(Fish with { Seed = null });
        Assert.Equal(Pixels.Of(drawn.Frames), await Pixels.OfAsync(Generator, drawn.Request));
    }

    [Fact]
    public async Task EveryPartOfTheRequestMatters()
    {
        VideoRequest[] requests =
        [
            Fish, Fish with { Seed = 43 }, Fish with { Seed = long.MaxValue }, Fish with { Prompt = "a blue cat" }, Fish with { NegativePrompt = "blue light" },
            Fish with { GuidanceScale = 1 }, Fish with { Sampler = Sampler.Euler }, Fish with { Shift = 1 }, Fish with { Steps = 1 },
            Fish with { Steps = 12 },
        ];
        var videos = new List<byte[]>();
        foreach (VideoRequest request in requests)
            videos.Add(await Pixels.OfAsync(Generator, request));
        for (int i = 0; i < videos.Count; i++)
        {
            for (int j = 0; j < i; j++)
                Assert.False(videos[i].AsSpan().SequenceEqual(videos[j]), $"{requests[i]} and {requests[j]} gave the same video");
        }
    }

    [Fact]
    public async Task WithoutGuidanceTheNegativePromptDoesNotMatter()
    {
        VideoRequest request = Fish with { GuidanceScale = 1 };
        Assert.Equal(await Pixels.OfAsync(Generator, request), await Pixels.OfAsync(Generator, request with { NegativePrompt = "blue light" }));
    }

    [Theory]
    [InlineData(Sampler.Euler, 1, 0.01f)]
    [InlineData(Sampler.Euler, 40, 100f)]
    [InlineData(Sampler.UniPC, 2, 0.01f)]
    [InlineData(Sampler.UniPC, 40, 100f)]
    [InlineData(Sampler.Heun, 1, 0.01f)]
    [InlineData(Sampler.Heun, 20, 100f)]
    [InlineData(Sampler.DpmPlusPlus2M, 2, 0.01f)]
    [InlineData(Sampler.DpmPlusPlus2M, 40, 100f)]
    [InlineData(Sampler.Lcm, 1, 0.01f)]
    [InlineData(Sampler.Lcm, 40, 100f)]
    public async Task EverySamplerTakesEveryNumberOfStepsAndShift(Sampler sampler, int steps, float shift)
    {
        await using GeneratedVideo video = await Generator.GenerateAsync(Fish with { Sampler = sampler, Steps = steps, Shift = shift, Width = 16, Height = 16, FrameCount = 1 });
        Assert.Single(video.Frames);
    }

    [Fact]
    public async Task APromptThatIsTooLongIsCutAndTheVideoSaysWhere()
    {
        string prompt = string.Join(' ', Enumerable.Repeat("a red fish", 5)) + " blue sea";
        await using GeneratedVideo video = await Generator.GenerateAsync(Fish with { Prompt = prompt });
        Assert.Equal("The prompt has 18 tokens and the model reads 16; this end of it is not seen: \"blue sea\".", Assert.Single(video.Notes));
        string seen = prompt[..^" blue sea".Length];
        Assert.Equal(await Pixels.OfAsync(Generator, Fish with { Prompt = seen }), Pixels.Of(video.Frames));
    }

    [Theory]
    [InlineData("\u0000 in the negative prompt")]
    [InlineData("\uD800 half a character")]
    [InlineData("</s><pad><unk><0x41>")]
    [InlineData("")]
    public async Task AnyNegativePromptIsTaken(string text)
    {
        await using GeneratedVideo video = await Generator.GenerateAsync(Fish with { NegativePrompt = text, Steps = 1 });
        Assert.Equal(5, video.Frames.Count);
    }

    [Fact]
    public async Task ProgressGoesThroughTheStagesInOrder()
    {
        var loading = new ProgressLog();
        using VideoGenerator generator = await TinyModel.LoadAsync(progress: loading);
        Assert.Equal([(GenerationStage.LoadingModel, 0, 3), (GenerationStage.LoadingModel, 1, 3), (GenerationStage.LoadingModel, 2, 3), (GenerationStage.LoadingModel, 3, 3)], loading.Steps);

        (GenerationStage, int, int)[] expected =
        [
            (GenerationStage.EncodingText, 0, 0),
            (GenerationStage.Denoising, 0, 3), (GenerationStage.Denoising, 1, 3), (GenerationStage.Denoising, 2, 3), (GenerationStage.Denoising, 3, 3),
            (GenerationStage.Decoding, 0, 9), (GenerationStage.Decoding, 1, 9), (GenerationStage.Decoding, 5, 9), (GenerationStage.Decoding, 9, 9),
        ];
        var progress = new ProgressLog();
        await using GeneratedVideo video = await generator.GenerateAsync(Fish with { Steps = 3, FrameCount = 9 }, progress);
        Assert.Equal(expected, progress.Steps);
        Assert.Equal([GenerationStage.EncodingText, GenerationStage.Denoising, GenerationStage.Decoding], video.Timings.Select(timing => timing.Stage));
        Assert.All(video.Timings, timing => Assert.True(timing.Elapsed > TimeSpan.Zero));

        var streaming = new ProgressLog();
        await foreach (VideoFrame _ in generator.StreamAsync(Fish with { Steps = 3, FrameCount = 9 }, streaming))
        {
        }
        Assert.Equal(expected, streaming.Steps);
    }

    [Theory]
    [InlineData(Precision.BFloat16, 1)]
    [InlineData(Precision.Full, 2)]
    [InlineData(Precision.Auto, null)]
    public async Task EveryPrecisionAndNumberOfThreadsGivesThatVideoNearly(Precision precision, int? threads)
    {
        byte[] exact = await Pixels.OfAsync(Generator, Fish);
        using VideoGenerator other = await VideoGenerator.LoadAsync(TinyModel.Folder, new() { Device = "cpu", Precision = precision, Threads = threads });
        byte[] near = await Pixels.OfAsync(other, Fish);
        Assert.InRange(exact.Zip(near, (a, b) => Math.Abs(a - b)).Average(), 0, 6);
    }
}
