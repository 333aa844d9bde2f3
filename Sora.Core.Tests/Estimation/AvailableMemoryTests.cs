using Sora.Estimation;
using Sora.Tests.Weights;
using Xunit;

namespace Sora.Tests.Estimation;

/// <summary>The memory that is left, read from the files of Linux.</summary>
public sealed class AvailableMemoryTests : IDisposable
{
    private readonly TemporaryFolder _root = new();

    public AvailableMemoryTests() => _root.Write("proc/meminfo", "MemTotal:       1000 kB\nMemFree:         100 kB\nMemAvailable:    500 kB\n");

    public void Dispose() => _root.Dispose();

    [Fact]
    public void WithoutGroupsItIsTheSystems() => Assert.Equal(500 * 1024, AvailableMemory.ReadLinux(_root.Path));

    [Fact]
    public void TheTightestOfNestedGroupsCounts()
    {
        _root.Write("proc/self/cgroup", "0::/user/job\n");
        Group("sys/fs/cgroup/user/job", "max", 10);
        Assert.Equal(500 * 1024, AvailableMemory.ReadLinux(_root.Path));
        Group("sys/fs/cgroup/user", "300000", 200000);
        Assert.Equal(100000 + 5000, AvailableMemory.ReadLinux(_root.Path));
        Group("sys/fs/cgroup", "250000", 200000);
        Assert.Equal(50000 + 5000, AvailableMemory.ReadLinux(_root.Path));
        Group("sys/fs/cgroup", "100000", 200000);
        Assert.Equal(0, AvailableMemory.ReadLinux(_root.Path));
    }

    [Fact]
    public void VersionOneCountsToo()
    {
        _root.Write("proc/self/cgroup", "5:cpu:/job\n4:memory:/job\n");
        _root.Write("sys/fs/cgroup/memory/memory.limit_in_bytes", "400000\n");
        _root.Write("sys/fs/cgroup/memory/memory.usage_in_bytes", "150000\n");
        _root.Write("sys/fs/cgroup/memory/memory.stat", "total_inactive_file 1000\n");
        Assert.Equal(251000, AvailableMemory.ReadLinux(_root.Path));
        _root.Write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
        Assert.Equal(500 * 1024, AvailableMemory.ReadLinux(_root.Path));
    }

    [Fact]
    public void ThisMachineHasSome() => Assert.InRange(AvailableMemory.Read(), 1, long.MaxValue / 2);

    private void Group(string folder, string limit, long used)
    {
        _root.Write($"{folder}/memory.max", limit + "\n");
        _root.Write($"{folder}/memory.current", $"{used}\n");
        _root.Write($"{folder}/memory.stat", "anon 7\ninactive_file 5000\n");
    }
}
