using Sora.Bench;
using Xunit;

namespace Sora.Tests.Estimation;

/// <summary>What an estimate says beside what a process takes that does nothing else.</summary>
public sealed class MeasuredMemoryTests
{
    /// <summary>What compiled code, garbage and the allocator add or spare by chance.</summary>
    private const long Chance = 8_000_000;

    [Theory]
    [InlineData(Precision.BFloat16)]
    [InlineData(Precision.Full)]
    public void AnEstimateIsNoLessThanWhatIsTakenAndNotSeveralTimesAsMuch(Precision precision)
    {
        if (!OperatingSystem.IsLinux() || Repository.PocketModel is null)
            return;
        double[][] stages = [.. ChildProcess.Run(EstimateBenchmark.Child, $"{precision}").Chunk(3)];
        Assert.Equal([GenerationStage.EncodingText, GenerationStage.Denoising, GenerationStage.Decoding], stages.Select(stage => (GenerationStage)stage[0]));
        foreach ((double stage, double estimated, double measured) in stages.Select(stage => (stage[0], stage[1], stage[2])))
        {
            string found = $"{(GenerationStage)stage} in {precision}: {estimated} bytes are estimated and {measured} were taken.";
            Assert.True(estimated + Chance >= measured, found);
            // What a small stage takes may lie in memory that the process has anyway.
            if (estimated > 5 * Chance)
                Assert.True(estimated <= (3 * measured) + (2 * Chance), found);
        }
    }
}
