using Xunit;

namespace Sora.Tests.Engine;

/// <summary>Tests that count the process's tensors or measure its memory run while no others do.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public class LiveTensors
{
    public const string Name = "Live tensors";

    /// <summary>The number of live tensors, after those that nobody holds any more are gone.</summary>
    public static long Count()
    {
        for (int i = 0; i < 2; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
        return Tensor.TotalCount;
    }
}
