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
        Tensor atOnce = q.matmul(k.transpose(-2, -1)).div(Math.Sqrt(8)).softmax(-1).matmul(v);
        foreach (Tensor? mask in new[] { null, zeros([1, 1, 1, 5120]) })
        {
            Tensor grouped = nn.functional.scaled_dot_product_attention(q, k, v, mask);
            Assert.Equal(atOnce.shape, grouped.shape);
            Assert.InRange(RandomTensor.Distance(atOnce, grouped), 0, 1e-5f);
        }
    }

    [Theory]
    [InlineData(2, 3, 70, 40, 20)]
    [InlineData(1, 2, 700, 333, 64)]   // several blocks of queries
    [InlineData(1, 1, 1, 1, 8)]
    public void ResultAndGradientsInFloat32EqualTheFormula(long clips, long heads, long queries, long keys, long width)
    {
        using DisposeScope scope = NewDisposeScope();
        // The memory order of the transformer: tokens, then heads.
        Tensor[] values = [RandomTensor.Create(1, clips, queries, heads, width), RandomTensor.Create(2, clips, keys, heads, width), RandomTensor.Create(3, clips, keys, heads, width)];
        Tensor slope = RandomTensor.Create(4, clips, heads, queries, width);

        Tensor[] given = Results((q, k, v) => nn.functional.scaled_dot_product_attention(q, k, v));
        Tensor[] expected = Results((q, k, v) => (q.matmul(k.transpose(-2, -1)) / Math.Sqrt(width)).softmax(-1).matmul(v));

        foreach ((Tensor one, Tensor other) in expected.Zip(given))
        {
            Assert.Equal(one.shape, other.shape);
            Assert.InRange(RandomTensor.Distance(one, other), 0, 2e-5f);
        }

        Tensor[] Results(Func<Tensor, Tensor, Tensor, Tensor> attention)
        {
            Tensor[] leaves = [.. values.Select(value => value.alias().detach().requires_grad_(true))];
            Tensor result = attention(leaves[0].transpose(1, 2), leaves[1].transpose(1, 2), leaves[2].transpose(1, 2));
            (result * slope).sum().backward();
            return [result, .. leaves.Select(leaf => leaf.grad!)];
        }
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
