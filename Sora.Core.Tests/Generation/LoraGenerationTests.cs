using Sora.Tests.Engine;
using Sora.Tests.Weights;
using Sora.Weights;
using Xunit;

namespace Sora.Tests.Generation;

/// <summary>LoRAs in a generator: applied, scaled, replaced, removed.</summary>
[Collection(LiveTensors.Name)]
public sealed class LoraGenerationTests : IDisposable
{
    private static readonly VideoRequest Fish = new("a red fish swims left") { Seed = 42 };

    private readonly TemporaryFolder _folder = new();
    private readonly string _style;

    public LoraGenerationTests() => _style = TestLora.Write(_folder.File("style.safetensors"), TestLora.ForBlocks(TinyModel.Transformer));

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task WhatIsAppliedLaterEqualsWhatIsLoadedAndRemovalRestoresEveryByte()
    {
        using VideoGenerator plain = await TinyModel.LoadAsync(), styled = await LoadAsync(new LoraFile(_style, 0.5f));
        byte[] without = await Pixels.OfAsync(plain, Fish), with = await Pixels.OfAsync(styled, Fish);
        Assert.NotEqual(without, with);

        await plain.SetLorasAsync([new LoraFile(_style, 0.5f)]);
        Assert.Equal(with, await Pixels.OfAsync(plain, Fish));
        // The set is replaced, not added to; and it may hold a file twice.
        await plain.SetLorasAsync([new LoraFile(_style, 0.25f), new LoraFile(_style, 0.25f)]);
        byte[] twice = await Pixels.OfAsync(plain, Fish);
        Assert.InRange(with.Zip(twice, (a, b) => Math.Abs(a - b)).Max(), 0, 1);
        await plain.SetLorasAsync([]);
        Assert.Equal(without, await Pixels.OfAsync(plain, Fish));
        await styled.SetLorasAsync([]);
        Assert.Equal(without, await Pixels.OfAsync(styled, Fish));
    }

    [Fact]
    public async Task ScaleZeroChangesNothing()
    {
        using VideoGenerator plain = await TinyModel.LoadAsync(), zero = await LoadAsync(new LoraFile(_style, 0));
        Assert.Equal(await Pixels.OfAsync(plain, Fish), await Pixels.OfAsync(zero, Fish));
    }

    [Fact]
    public async Task AFewStepsWithoutGuidanceWork()
    {
        // How step-distilled LoRAs are used.
        using VideoGenerator generator = await LoadAsync(new LoraFile(_style));
        await using GeneratedVideo video = await generator.GenerateAsync(Fish with { Steps = 4, GuidanceScale = 1 });
        Assert.Equal(5, video.Frames.Count);
    }

    [Fact]
    public async Task ALoraThatCannotBeUsedLeavesTheActiveOnes()
    {
        using VideoGenerator generator = await LoadAsync(new LoraFile(_style));
        byte[] styled = await Pixels.OfAsync(generator, Fish);
        string foreign = TestLora.Write(_folder.File("foreign.safetensors"), TestLora.Random("diffusion_model.blocks.0.self_attn.q.diff_b", 7));
        foreach (LoraFile bad in (LoraFile[])[new("none.safetensors"), new(foreign), new(_style) { Expert = LoraExpert.HighNoise }])
        {
            Assert.Contains(bad.Path, (await Assert.ThrowsAsync<SoraException>(() => generator.SetLorasAsync([bad]))).Message, StringComparison.Ordinal);
            Assert.Contains(bad.Path, (await Assert.ThrowsAsync<SoraException>(() => LoadAsync(bad))).Message, StringComparison.Ordinal);
        }
        Assert.Equal(styled, await Pixels.OfAsync(generator, Fish));
    }

    [Fact]
    public async Task WhatTheModelLacksIsNoted()
    {
        string path = TestLora.Write(_folder.File("image.safetensors"),
            [.. TestLora.ForBlocks(TinyModel.Transformer), TestLora.Random("diffusion_model.blocks.0.cross_attn.k_img.diff_b", 8)]);
        using VideoGenerator generator = await LoadAsync(new LoraFile(path));
        await using GeneratedVideo video = await generator.GenerateAsync(Fish with { Steps = 1 });
        Assert.Contains("1 of", Assert.Single(video.Notes), StringComparison.Ordinal);
        Assert.Contains(path, video.Notes[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task ChangingLorasLeavesNoTensorBehind()
    {
        using VideoGenerator generator = await LoadAsync(new LoraFile(_style));
        await Pixels.OfAsync(generator, Fish with { Steps = 1 });
        long before = Tensor.TotalCount;
        for (int i = 0; i < 3; i++)
        {
            await generator.SetLorasAsync(i % 2 == 0 ? [] : [new LoraFile(_style)]);
            await Pixels.OfAsync(generator, Fish with { Steps = 1 });
        }
        await generator.SetLorasAsync([new LoraFile(_style)]);
        await Pixels.OfAsync(generator, Fish with { Steps = 1 });
        Assert.Equal(before, Tensor.TotalCount);
    }

    private static Task<VideoGenerator> LoadAsync(params ReadOnlySpan<LoraFile> loras) => VideoGenerator.LoadAsync(
        TinyModel.Folder, new() { Device = "cpu", Precision = Precision.Full, Threads = 1, Loras = ValueList.Create(loras) });
}
