using Sora.Tests.Engine;
using Xunit;

namespace Sora.Tests.Generation;

/// <summary>What a request is said to take, against numbers worked out by hand for the tiny model.</summary>
[Collection(LiveTensors.Name)]
public sealed class EstimateTests
{
    // 32x32 and 5 frames are latents of 2x4x4 and N = 8 patches; D = 40, F = 48, 2 blocks, L = 16 text tokens of 24.
    private static readonly VideoRequest Fish = new("a fish") { Width = 32, Height = 32, FrameCount = 5, Steps = 4, GuidanceScale = 5, Seed = 1, Sampler = Sampler.Euler };

    // A block: q, k, v, out 102,400; q and out of the text 51,200; feed-forward 61,440; attention 10,240 and to the text 20,480.
    private const double Evaluation = (2 * 245_760) + 20_480;

    // The projection of the text 30,720 + 51,200, and keys and values of 2 blocks 4 · 51,200.
    private const double Preparation = 286_720;

    [Fact]
    public async Task OperationsAreThoseCountedByHand()
    {
        using VideoGenerator generator = await TinyModel.LoadAsync();
        GenerationEstimate guided = generator.Estimate(Fish), plain = generator.Estimate(Fish with { GuidanceScale = 1 });
        Assert.Equal(8, guided.Tokens);
        Assert.Equal(4, guided.Evaluations);
        Assert.Equal((4 * 2 * Evaluation) + (2 * Preparation), guided.TransformerOperations);
        Assert.Equal((4 * Evaluation) + Preparation, plain.TransformerOperations);
        // A layer: q, k, v, o 73,728; feed-forward 110,592; attention 24,576.
        Assert.Equal(2 * 2 * 208_896, guided.TextEncoderOperations);
        Assert.Equal(2 * 208_896, plain.TextEncoderOperations);
        // The first latent frame, and the second, which becomes four frames: see the levels in DecoderByHand.
        Assert.Equal(DecoderByHand(frames: [1, 1, 1], time: 0) + DecoderByHand(frames: [1, 2, 4], time: 1), guided.DecoderOperations);
        Assert.Equal(guided.TextEncoderOperations + guided.TransformerOperations + guided.DecoderOperations, guided.Operations);
        Assert.Equal(guided.Operations / guided.OperationsPerSecond, guided.Time.TotalSeconds, 1e-6);
    }

    [Fact]
    public async Task HeunIsEvaluatedTwiceAStepButTheLast()
    {
        using VideoGenerator generator = await TinyModel.LoadAsync();
        GenerationEstimate heun = generator.Estimate(Fish with { Sampler = Sampler.Heun });
        Assert.Equal(7, heun.Evaluations);
        Assert.Equal((7 * 2 * Evaluation) + (2 * Preparation), heun.TransformerOperations);
    }

    [Fact]
    public async Task WithoutTheMemoryARequestIsRefusedAndTheNearestSizeIsMade()
    {
        long enough;
        using (VideoGenerator any = await TinyModel.LoadAsync())
        {
            GenerationEstimate small = any.Estimate(Fish), large = any.Estimate(Fish with { Width = 64, Height = 64 });
            Assert.True(small.Fits && large.Fits);
            Assert.True(large.PeakMemory > small.PeakMemory);
            Assert.Equal([GenerationStage.EncodingText, GenerationStage.Denoising, GenerationStage.Decoding], small.Memory.Select(stage => stage.Stage));
            enough = small.PeakMemory;
        }
        using VideoGenerator generator = await VideoGenerator.LoadAsync(TinyModel.Folder, new() { Device = "cpu", Precision = Precision.Full, Threads = 1, MemoryLimit = enough });
        var stages = new ProgressLog(report => Assert.NotEqual(GenerationStage.EncodingText, report.Stage));
        string message = (await Assert.ThrowsAsync<SoraException>(() => generator.GenerateAsync(Fish with { Width = 64, Height = 64 }, stages))).Message;
        Assert.Contains("64x64 with 5 frames takes ", message, StringComparison.Ordinal);
        Assert.Contains("(decoding: weights ", message, StringComparison.Ordinal);
        Assert.Contains("32x32 with 5 frames", message[message.IndexOf("nearest that fit", StringComparison.Ordinal)..], StringComparison.Ordinal);
        Assert.False(generator.Estimate(Fish with { Width = 64, Height = 64 }).Fits);
        await Pixels.OfAsync(generator, Fish);
    }

    [Fact]
    public async Task WhereNothingFitsThatIsSaid()
    {
        using VideoGenerator generator = await VideoGenerator.LoadAsync(TinyModel.Folder, new() { Device = "cpu", MemoryLimit = 1000 });
        Assert.Contains("no size of this model fits", (await Assert.ThrowsAsync<SoraException>(() => generator.GenerateAsync(Fish))).Message, StringComparison.Ordinal);
    }

    // Latents of 4x4, widths 16, 16 and 8, two residual blocks a level, 12 channels out; frames after each doubling of time.
    private static double DecoderByHand(int[] frames, int time)
    {
        const double Block16 = 2 * 2 * 27 * 16 * 16; // two convolutions of 3x3x3, a position
        double start = 16 * ((2 * 4 * 4) + (2 * 27 * 4 * 16) + (2 * Block16) + (2 * 16 * 64) + (4 * 16 * 16));
        double level0 = (16 * ((2 * Block16) + (time * 2 * 3 * 16 * 32))) + (64 * frames[1] * 2 * 9 * 16 * 16);
        double level1 = (64 * frames[1] * ((2 * Block16) + (time * 2 * 3 * 16 * 32))) + (256 * frames[2] * 2 * 9 * 16 * 16);
        double level2 = 256 * frames[2] * ((2 * 27 * 16 * 8) + (3 * 2 * 27 * 8 * 8) + (2 * 16 * 8) + (2 * 27 * 8 * 12));
        return start + level0 + level1 + level2;
    }
}
