using System.Globalization;
using Xunit;

namespace Sora.Tests.Engine;

[Collection(LiveTensors.Name)]
public class AttentionTests
{
    [Fact]
    public void GroupsOfQueriesGiveWhatAllAtOnceGives()
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGradients = no_grad();
        // 21 million scores: more than the engine holds at once.
        Tensor q = RandomTensor.Create(1, 1, 2, 2048, 8), k = RandomTensor.Create(2, 1, 2, 5120, 8), v = RandomTensor.Create(3, 1, 2, 5120, 8);
        Tensor grouped = nn.functional.scaled_dot_product_attention(q, k, v);
        Tensor atOnce = q.matmul(k.transpose(-2, -1)).div(Math.Sqrt(8)).softmax(-1).matmul(v);
        Assert.Equal(atOnce.shape, grouped.shape);
        Assert.InRange(RandomTensor.Distance(atOnce, grouped), 0, 1e-5f);
    }

    [Fact]
    public void AMaskIsAddedToTheScores()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor q = RandomTensor.Create(1, 1, 1, 3, 4), k = RandomTensor.Create(2, 1, 1, 5, 4), v = RandomTensor.Create(3, 1, 1, 5, 4);
        Tensor mask = tensor([0f, 0, 0, float.NegativeInfinity, float.NegativeInfinity], [1, 1, 1, 5]);
        Tensor masked = nn.functional.scaled_dot_product_attention(q, k, v, mask);
        Tensor shorter = nn.functional.scaled_dot_product_attention(q, k.narrow(2, 0, 3), v.narrow(2, 0, 3));
        Assert.InRange(RandomTensor.Distance(masked, shorter), 0, 1e-6f);
    }

    [Fact]
    public void MemoryDoesNotGrowWithTheSquareOfTheLength()
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGradients = no_grad();
        const long Length = 12288;                     // all scores at once would take 600 MB, and their softmax as much
        Tensor q = RandomTensor.Create(1, 1, 1, Length, 8);
        long before = Math.Max(Kilobytes("VmHWM:"), Kilobytes("VmRSS:"));
        nn.functional.scaled_dot_product_attention(q, q, q);
        Assert.InRange(Kilobytes("VmHWM:") - before, 0, 320 * 1024);
    }

    // From Linux's account of the process: VmRSS is held now, VmHWM was held at most.
    private static long Kilobytes(string field)
    {
        string line = File.ReadLines("/proc/self/status").First(l => l.StartsWith(field, StringComparison.Ordinal));
        return long.Parse(line[field.Length..^2].Trim(), CultureInfo.InvariantCulture);
    }
}
