using Sora.Bench;
using Sora.Tests.Engine;
using Xunit;

namespace Sora.Tests.Benchmarks;

/// <summary>
/// Every benchmark at tiny sizes: it runs, gives numbers, and meets the targets that hold on any machine, such as no tensor
/// left or no difference of tiles. None of them is a time.
/// </summary>
[Collection(LiveTensors.Name)]
public class BenchmarkTests
{
    // cli runs ./sora, which may have to build; the tests of the command line run the built program. limit goes to the end of its
    // process's memory, where the runtime itself sometimes finds none and ends the process: a measurement, not a test.
    public static TheoryData<string> Names => [.. Benchmark.All.Select(benchmark => benchmark.Name).Where(name => name is not ("cli" or "limit"))];

    [Theory]
    [MemberData(nameof(Names))]
    public void ATryRunsAndMeetsWhatHoldsEverywhere(string name)
    {
        using IDisposable gradients = set_grad_enabled(true);
        int threads = get_num_threads();
        long before = LiveTensors.Count();
        Measurement[] rows;
        using (NewDisposeScope())
            rows = [.. Benchmark.All.Single(benchmark => benchmark.Name == name).Run(true)];
        set_num_threads(threads);
        Assert.NotEmpty(rows);
        Assert.All(rows, row => Assert.True(row.Value is { } value ? double.IsFinite(value) : row.Note is not null, row.Name));
        Assert.All(rows.Where(row => row.Exact), row => Assert.True(row.Met, $"{row.Name}: {row.Shown}, {row.Target}"));
        Assert.Equal(before, Tensor.TotalCount);
    }
}
