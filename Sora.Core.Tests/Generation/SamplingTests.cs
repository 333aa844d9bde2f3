using Sora.Latents;
using Sora.Tests.Engine;
using Xunit;

namespace Sora.Tests.Generation;

/// <summary>Samplers and guidance through the public API.</summary>
public sealed class SamplingTests : TinyGenerator
{
    private static readonly VideoRequest Fish = new("a red fish swims left") { Seed = 42, Width = 16, Height = 16, Steps = 5 };

    [Theory]
    [InlineData(Sampler.Euler)]
    [InlineData(Sampler.Heun)]
    [InlineData(Sampler.UniPC)]
    [InlineData(Sampler.DpmPlusPlus2M)]
    [InlineData(Sampler.Lcm)]
    [InlineData(Sampler.EulerTrailing)]
    public async Task TheSeedDecidesTheVideo(Sampler sampler)
    {
        VideoRequest request = Fish with { Sampler = sampler };
        byte[] first = await Pixels.OfAsync(Generator, request);
        Assert.Equal(first, await Pixels.OfAsync(Generator, request));
        using VideoGenerator other = await TinyModel.LoadAsync();
        Assert.Equal(first, await Pixels.OfAsync(other, request));
        Assert.NotEqual(first, await Pixels.OfAsync(Generator, request with { Seed = 43 }));
        foreach (Sampler another in Enum.GetValues<Sampler>().Where(s => s != sampler))
            Assert.NotEqual(first, await Pixels.OfAsync(Generator, request with { Sampler = another }));
    }

    [Theory]
    [InlineData(Sampler.Euler, 5)]
    [InlineData(Sampler.Heun, 9)]
    [InlineData(Sampler.Lcm, 5)]
    [InlineData(Sampler.EulerTrailing, 5)]
    public async Task ProgressCountsTheCallsOfTheNetwork(Sampler sampler, int calls)
    {
        var progress = new ProgressLog();
        await using GeneratedVideo video = await Generator.GenerateAsync(Fish with { Sampler = sampler }, progress);
        Assert.Equal(
            Enumerable.Range(0, calls + 1).Select(call => (GenerationStage.Denoising, call, calls)),
            progress.Steps.Where(step => step.Stage == GenerationStage.Denoising));
    }

    [Theory]
    [InlineData(Sampler.Euler, 3)]
    [InlineData(Sampler.Heun, 5)]
    [InlineData(Sampler.UniPC, 3)]
    [InlineData(Sampler.DpmPlusPlus2M, 3)]
    [InlineData(Sampler.Lcm, 3)]
    [InlineData(Sampler.EulerTrailing, 3)]
    public async Task EverySamplerCanStartInTheMiddleFromASource(Sampler sampler, int calls)
    {
        await using GeneratedVideo source = await Generator.GenerateAsync(Fish with { Seed = 1 });
        VideoRequest request = Fish with { Sampler = sampler, Source = [.. source.Frames], Strength = 0.6 };
        var progress = new ProgressLog();
        await using GeneratedVideo video = await Generator.GenerateAsync(request, progress);
        byte[] edited = Pixels.Of(video.Frames);
        Assert.Equal(
            Enumerable.Range(0, calls + 1).Select(call => (GenerationStage.Denoising, call, calls)),
            progress.Steps.Where(step => step.Stage == GenerationStage.Denoising));
        Assert.Equal(edited, await Pixels.OfAsync(Generator, request));
        Assert.NotEqual(edited, await Pixels.OfAsync(Generator, request with { Seed = 43 }));
        Assert.NotEqual(edited, await Pixels.OfAsync(Generator, request with { Strength = 1 }));
    }

    [Fact]
    public async Task AnIntervalThatNoStepLiesInIsNoGuidance()
    {
        // The levels of 5 steps with shift 3: 1, 0.92, 0.82, 0.67, 0.43 and 0.
        byte[] none = await Pixels.OfAsync(Generator, Fish with { GuidanceScale = 1 });
        Assert.Equal(none, await Pixels.OfAsync(Generator, Fish with { GuidanceInterval = new(0.01f, 0.2f) }));
    }

    [Fact]
    public async Task TheIntervalAndTheRescaleMatter()
    {
        byte[] guided = await Pixels.OfAsync(Generator, Fish);
        Assert.Equal(guided, await Pixels.OfAsync(Generator, Fish with { GuidanceInterval = SigmaInterval.All, GuidanceRescale = 0 }));
        VideoRequest[] requests =
        [
            Fish, Fish with { GuidanceScale = 1 }, Fish with { GuidanceInterval = new(0.5f, 1) }, Fish with { GuidanceInterval = new(0, 0.5f) },
            Fish with { GuidanceRescale = 0.5f }, Fish with { GuidanceRescale = 1 },
        ];
        var videos = new List<string>();
        foreach (VideoRequest request in requests)
            videos.Add(Convert.ToHexString(await Pixels.OfAsync(Generator, request)));
        Assert.Equal(requests.Length, videos.Distinct().Count());
    }

    [Fact]
    public void TheNoiseOfAStepDependsOnSeedStepAndFrameAlone()
    {
        using DisposeScope scope = NewDisposeScope();
        var shape = new LatentShape(4, 3, 5, 6);
        Tensor step2 = LatentNoise.OfStep(2, shape, 7, CPU);
        Assert.Equal([1, 4, 3, 5, 6], step2.shape);
        Assert.Equal(0, RandomTensor.Distance(step2, LatentNoise.OfStep(2, shape, 7, CPU)));
        Tensor later = LatentNoise.OfStep(2, shape with { T = 2 }, 7, CPU, firstFrame: 1);
        Assert.Equal(0, RandomTensor.Distance(step2.narrow(2, 1, 2), later));
        Tensor[] others = [LatentNoise.OfStep(0, shape, 7, CPU), LatentNoise.OfStep(3, shape, 7, CPU), LatentNoise.OfStep(2, shape, 8, CPU), LatentNoise.Create(shape, 7, CPU)];
        Assert.All(others, other => Assert.True((step2 * other).mean().abs().item<float>() < 0.25));
    }
}
