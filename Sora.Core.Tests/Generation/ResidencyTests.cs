using Sora.Tests.Conditioning;
using Sora.Tests.Engine;
using Sora.Tests.Weights;
using Xunit;

namespace Sora.Tests.Generation;

/// <summary>Which parts of a model are in memory at each stage, read from the process's own list of mapped files.</summary>
[Collection(LiveTensors.Name)]
public sealed class ResidencyTests : IDisposable
{
    private static readonly VideoRequest Fish = new("a red fish swims left") { Seed = 42, Steps = 6, KnownFrames = [new(0, TestFrames.Create(1))] };

    private readonly TemporaryFolder _folder = new();

    public ResidencyTests() => TinyModel.Create(_folder.Path, twoExperts: true);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task WhatIsNotKeptIsInMemoryInItsStageAlone()
    {
        if (!OperatingSystem.IsLinux())
            return;
        using VideoGenerator generator = await LoadAsync(keep: false);
        Assert.Equal("", Mapped());
        var stages = new List<(GenerationStage Stage, int Step, string Mapped)>();
        var progress = new ProgressLog(report => stages.Add((report.Stage, report.Step, Mapped())));
        await using GeneratedVideo video = await generator.GenerateAsync(Fish, progress);
        Assert.Equal("", Mapped());

        // A stage is announced before its part is loaded.
        Assert.All(stages.DistinctBy(s => s.Stage), s => Assert.Equal("", s.Mapped));
        Assert.Equal([GenerationStage.EncodingText, GenerationStage.LoadingModel, GenerationStage.EncodingFrames, GenerationStage.Denoising, GenerationStage.Decoding], stages.Select(s => s.Stage).Distinct());
        // Text encoder, autoencoder, each expert, and the autoencoder again: their time is counted apart from the stage's.
        Assert.Equal(5, video.Timings.Count(timing => timing.Stage == GenerationStage.LoadingModel));
        (GenerationStage Stage, int Step, string Mapped)[] steps = [.. stages.Where(s => s is { Stage: GenerationStage.Denoising, Step: > 0 }).DistinctBy(s => s.Step)];
        Assert.Equal(6, steps.Length);
        Assert.Equal("transformer", steps[0].Mapped);
        Assert.Equal("transformer_2", steps[^1].Mapped);
        Assert.All(steps, s => Assert.Contains(s.Mapped, (string[])["transformer", "transformer_2"]));
        Assert.All(stages.Where(s => s is { Stage: GenerationStage.Decoding, Step: > 0 }), s => Assert.Equal("vae", s.Mapped));
    }

    [Fact]
    public async Task WhatIsKeptStaysAndTheVideoIsTheSame()
    {
        using VideoGenerator kept = await LoadAsync(keep: true), released = await LoadAsync(keep: false);
        byte[] expected = await Pixels.OfAsync(kept, Fish);
        if (OperatingSystem.IsLinux())
            Assert.Equal("text_encoder transformer transformer_2 vae", Mapped());
        Assert.Equal(expected, await Pixels.OfAsync(released, Fish));
        Assert.Equal(expected, await Pixels.OfAsync(released, Fish));
    }

    [Fact]
    public async Task ASmallModelIsKeptUnlessTheOptionsSayOtherwise()
    {
        using VideoGenerator generator = await LoadAsync(keep: null);
        if (OperatingSystem.IsLinux())
            Assert.Equal("text_encoder transformer transformer_2 vae", Mapped());
    }

    [Fact]
    public async Task AFailedAndACancelledGenerationLetGoOfTheirPart()
    {
        using VideoGenerator generator = await LoadAsync(keep: false);
        await Pixels.OfAsync(generator, Fish);
        var start = new Footprint();
        foreach (GenerationStage stage in (GenerationStage[])[GenerationStage.Denoising, GenerationStage.Decoding])
        {
            using var stop = new CancellationTokenSource();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => generator.GenerateAsync(Fish, ProgressLog.Cancelling(stop, stage, 1), stop.Token));
            start.RequireUnchanged(_folder.Path);
        }
        string weights = _folder.File("transformer_2", "diffusion_pytorch_model.safetensors");
        byte[] whole = File.ReadAllBytes(weights);
        File.WriteAllBytes(weights, whole[..^1]);
        Assert.Contains("transformer_2", (await Assert.ThrowsAsync<SoraException>(() => generator.GenerateAsync(Fish))).Message, StringComparison.Ordinal);
        start.RequireUnchanged(_folder.Path);
        // Damage is found when a model is opened, also in what is loaded later.
        await Assert.ThrowsAsync<SoraException>(() => LoadAsync(keep: false));
        File.WriteAllBytes(weights, whole);
        await Pixels.OfAsync(generator, Fish);
        start.RequireUnchanged(_folder.Path);
    }

    [Fact]
    public async Task EachExpertHasItsOwnGuidance()
    {
        using VideoGenerator generator = await LoadAsync(keep: null);
        Assert.True(generator.Limits.HasTwoExperts);
        byte[] one = await Pixels.OfAsync(generator, Fish with { GuidanceScale = 4 });
        Assert.Equal(one, await Pixels.OfAsync(generator, Fish with { GuidanceScale = 4, LowNoiseGuidanceScale = 4 }));
        Assert.NotEqual(one, await Pixels.OfAsync(generator, Fish with { GuidanceScale = 4, LowNoiseGuidanceScale = 1 }));
        Assert.NotEqual(one, await Pixels.OfAsync(generator, Fish with { GuidanceScale = 1, LowNoiseGuidanceScale = 4 }));
    }

    private Task<VideoGenerator> LoadAsync(bool? keep) =>
        VideoGenerator.LoadAsync(_folder.Path, new() { Device = "cpu", Precision = Precision.Full, Threads = 1, KeepComponents = keep });

    // The parts whose weights the process has mapped.
    private string Mapped() => string.Join(' ', File.ReadLines("/proc/self/maps")
        .Select(line => line.IndexOf(_folder.Path, StringComparison.Ordinal) is var at && at >= 0 ? Path.GetFileName(Path.GetDirectoryName(line[at..])) : null)
        .OfType<string>().Distinct().Order(StringComparer.Ordinal));
}
