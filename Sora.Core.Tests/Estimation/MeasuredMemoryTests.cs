using System.Runtime.InteropServices;
using Sora.Bench;
using Sora.Tests.Engine;
using Sora.Tests.Generation;
using Xunit;

namespace Sora.Tests.Estimation;

/// <summary>What an estimate says beside what the process takes.</summary>
[Collection(LiveTensors.Name)]
public sealed partial class MeasuredMemoryTests : IDisposable
{
    /// <summary>What compiled code, garbage and the allocator add or spare by chance in a process that runs tests.</summary>
    private const long Chance = 8_000_000;

    // M_MMAP_THRESHOLD of mallopt(3), and the ends of what glibc makes of it by itself.
    private const int MappedFrom = -3, AtFirst = 128 << 10, AtLast = 32 << 20;

    /// <summary>
    /// As tests before this free larger and larger tensors, glibc takes the next ones of these sizes from its heap, where what is freed stays in
    /// pieces: 9 to 26 MB of a process that ran all tests. Here they are mapped, as a fresh process begins.
    /// </summary>
    public MeasuredMemoryTests() => SetThreshold(AtFirst);

    public void Dispose() => SetThreshold(AtLast);

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
        var peaks = new StagePeaks();
        await using GeneratedVideo video = await generator.GenerateAsync(request, peaks);
        IReadOnlyDictionary<GenerationStage, long> taken = peaks.End();
        foreach (StageMemory stage in generator.Estimate(request).Memory)
        {
            long measured = taken[stage.Stage];
            string found = $"{stage.Stage} in {precision}: {stage.Activations} bytes are estimated and {measured} were taken.";
            Assert.True(stage.Activations + Chance >= measured, found);
            // What a small stage takes may lie in memory that the process has anyway.
            if (stage.Activations > 5 * Chance)
                Assert.True(stage.Activations <= (3 * measured) + (2 * Chance), found);
        }
    }

    private static void SetThreshold(int bytes)
    {
        if (OperatingSystem.IsLinux())
            Assert.Equal(1, Mallopt(MappedFrom, bytes));
    }

    [LibraryImport("libc", EntryPoint = "mallopt")]
    private static partial int Mallopt(int parameter, int value);
}
