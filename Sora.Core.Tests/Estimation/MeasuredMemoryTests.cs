using Sora.Bench;
using Sora.Tests.Engine;
using Sora.Tests.Generation;
using Xunit;

namespace Sora.Tests.Estimation;

/// <summary>What an estimate says beside what the process takes.</summary>
[Collection(LiveTensors.Name)]
public sealed class MeasuredMemoryTests
{
    /// <summary>What compiled code, garbage and the allocator add or spare by chance in a process that runs tests.</summary>
    private const long Chance = 8_000_000;

    /// <summary>What a process that has run two thousand tests takes beyond a fresh one: up to 26 MB were measured; alone this test needs none of it.</summary>
    private const long LeftInPieces = 32_000_000;

    [Theory]
    [InlineData(Precision.BFloat16)]
    [InlineData(Precision.Full)]
    public async Task AnEstimateIsNoLessThanWhatIsTakenAndNotSeveralTimesAsMuch(Precision precision)
    {
        if (!OperatingSystem.IsLinux() || !Directory.Exists(PocketModel.Folder))
            return;
        using VideoGenerator generator = await VideoGenerator.LoadAsync(PocketModel.Folder, new() { Device = "cpu", Precision = precision, FewSteps = false });
        var request = new VideoRequest("a red fish swims left in the deep sea") { Width = 192, Height = 192, FrameCount = 9, Steps = 1, Seed = 1 };
        // The first prepares what stays: the pages of the weights, the kernels' order of them, compiled code.
        await Pixels.OfAsync(generator, request);
        // Chance adds where tests before have left memory in pieces, and not every time: of several the least is what the stage needs.
        var taken = new List<IReadOnlyDictionary<GenerationStage, long>>();
        for (int i = 0; i < 3; i++)
        {
            var peaks = new StagePeaks();
            await using GeneratedVideo video = await generator.GenerateAsync(request, peaks);
            taken.Add(peaks.End());
        }
        foreach (StageMemory stage in generator.Estimate(request).Memory)
        {
            long least = taken.Min(peaks => peaks[stage.Stage]), most = taken.Max(peaks => peaks[stage.Stage]);
            string found = $"{stage.Stage} in {precision}: {stage.Activations} bytes are estimated and {least} to {most} were taken.";
            Assert.True(stage.Activations + Chance + LeftInPieces >= least, found);
            // What a small stage takes may lie in memory that the process has anyway.
            if (stage.Activations > 5 * Chance)
                Assert.True(stage.Activations <= (3 * most) + (2 * Chance), found);
        }
    }
}
