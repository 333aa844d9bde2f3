using System.Globalization;
using System.Runtime.InteropServices;
using Sora.Tests.Engine;
using Xunit;

namespace Sora.Tests.Generation;

/// <summary>A process that generates one video after the other does not grow.</summary>
[Collection(LiveTensors.Name)]
public partial class LeakTests
{
    [Fact]
    public async Task FiftyGenerationsTakeTheMemoryOfTen()
    {
        using VideoGenerator generator = await TinyModel.LoadAsync();
        (long Tensors, long Bytes) early = default;
        for (int i = 1; i <= 50; i++)
        {
            await Pixels.OfAsync(generator, new VideoRequest("a red fish") { Seed = i, Steps = 2, Sampler = (Sampler)(i % 2), GuidanceScale = 1 + (i % 3) });
            if (i == 10)
                early = (Tensor.TotalCount, ResidentBytes());
        }
        Assert.Equal(early.Tensors, Tensor.TotalCount);
        if (OperatingSystem.IsLinux())
            Assert.InRange(ResidentBytes(), 0, early.Bytes * 1.03);
    }

    /// <summary>Resident memory in bytes, without what the collector and the C library hold for later.</summary>
    internal static long ResidentBytes()
    {
        if (!OperatingSystem.IsLinux())
            return 0;
        GC.Collect(2, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        GC.WaitForPendingFinalizers();
        _ = Trim(0);
        string line = File.ReadLines("/proc/self/status").First(line => line.StartsWith("VmRSS:", StringComparison.Ordinal));
        return 1024 * long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2], CultureInfo.InvariantCulture);
    }

    [LibraryImport("libc", EntryPoint = "malloc_trim")]
    private static partial int Trim(nuint keep);
}
