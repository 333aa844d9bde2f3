using Sora.Tests.Engine;
using Xunit;

namespace Sora.Tests.Generation;

/// <summary>
/// What a model and its generations take besides managed memory. What is left at the end is not collected before it is
/// counted: a tensor that waits for the garbage collector is a leak, since the collector does not see how large it is.
/// </summary>
internal sealed class Footprint
{
    private readonly long _tensors = LiveTensors.Count();

    /// <summary>Requires that no tensor was left alive since, and none of the folder's files mapped, where one is given.</summary>
    public void RequireUnchanged(string? folder = null)
    {
        Assert.Equal(_tensors, Tensor.TotalCount);
        if (folder is not null && OperatingSystem.IsLinux())
            Assert.DoesNotContain(File.ReadLines("/proc/self/maps"), line => line.Contains(folder, StringComparison.Ordinal));
    }
}
