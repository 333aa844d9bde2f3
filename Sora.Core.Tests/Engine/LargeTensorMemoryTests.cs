using Sora.Layers;
using Sora.Tests.Generation;
using Xunit;

namespace Sora.Tests.Engine;

/// <summary>The memory of large tensors is used again, and goes back.</summary>
[Collection(LiveTensors.Name)]
public class LargeTensorMemoryTests
{
    private const long Megabyte = 1 << 20;

    [Fact]
    public void AFreedBlockIsTheNextTensors()
    {
        EngineMemory.ReleaseUnused();
        nint first;
        using (Tensor large = Filled(40))
            first = EngineMemory.Address(large);
        using Tensor again = Filled(38), other = Filled(38);
        if (first % (2 * Megabyte) == 0) // libtorch from 2.3 on has its own allocator
            Assert.Equal(first, EngineMemory.Address(again));
        Assert.NotEqual(EngineMemory.Address(again), EngineMemory.Address(other));
        Assert.Equal(38 * Megabyte / 4, again.sum().item<float>(), 0.5);
        Assert.Equal(38 * Megabyte / 4, other.sum().item<float>(), 0.5);
    }

    [Fact]
    public void AProcessIsNoLargerThanItWasAndBecomesSmallWhenItIsAsked()
    {
        if (!OperatingSystem.IsLinux())
            return;
        EngineMemory.ReleaseUnused();
        long before = LeakTests.ResidentBytes();
        Filled(256).Dispose();
        // Sizes for which none of the freed blocks is of use.
        for (int megabytes = 190; megabytes > 20; megabytes -= 30)
            Filled(megabytes).Dispose();
        Assert.InRange(LeakTests.ResidentBytes() - before, 0, 270 * Megabyte);
        EngineMemory.ReleaseUnused();
        Assert.InRange(LeakTests.ResidentBytes() - before, long.MinValue, 20 * Megabyte);
    }

    [Fact]
    public void SeveralThreadsHaveBlocksOfTheirOwn()
    {
        Parallel.For(0, 4, new ParallelOptions { MaxDegreeOfParallelism = 4 }, worker =>
        {
            for (int i = 0; i < 20; i++)
            {
                using Tensor mine = full([(5 + worker) * Megabyte / 4], (float)worker);
                Thread.Yield();
                Assert.Equal(worker, mine.min().item<float>());
                Assert.Equal(worker, mine.max().item<float>());
            }
        });
    }

    private static Tensor Filled(int megabytes) => ones([megabytes * Megabyte / 4]);
}
