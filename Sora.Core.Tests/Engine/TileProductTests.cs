using Xunit;

namespace Sora.Tests.Engine;

/// <summary>
/// Products in bfloat16 against those in float32, on processors with AMX on matrix tiles; and in float32, which run on libtorch's threads,
/// against float64.
/// </summary>
public class TileProductTests
{
    [Theory]
    [InlineData(16, 16, 16)]
    [InlineData(32, 64, 32)]
    [InlineData(77, 33, 51)]
    [InlineData(300, 520, 256)]
    [InlineData(40, 100, 1030)]
    [InlineData(1000, 48, 1536)]
    [InlineData(1, 64, 64)]
    public void EveryLayoutEqualsFloat32(long m, long n, long k)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGradients = no_grad();
        Tensor a = RandomTensor.Create(1, m, k).to(bfloat16), b = RandomTensor.Create(2, k, n).to(bfloat16), bias = RandomTensor.Create(3, n).to(bfloat16);
        Tensor turnedA = a.transpose(0, 1).contiguous().transpose(0, 1), turnedB = b.transpose(0, 1).contiguous().transpose(0, 1);
        // Part of a wider matrix: rows lie further apart than they are long.
        Tensor partA = cat([a, a], 1).narrow(1, 0, k), partB = cat([b, b], 1).narrow(1, n, n);
        Tensor product = a.to(float32).matmul(b.to(float32));

        foreach (Tensor left in new[] { a, turnedA, partA })
        {
            foreach (Tensor right in new[] { b, turnedB, partB })
                Close(product, left.matmul(right));
            Close(product + bias, nn.functional.linear(left, turnedB.transpose(0, 1), bias));
        }
    }

    [Theory]
    [InlineData(1, 80, 70, 64)]
    [InlineData(9, 64, 64, 64)]
    [InlineData(5, 33, 47, 100)]
    [InlineData(12, 256, 256, 300)]
    public void BatchesEqualFloat32(long batches, long m, long n, long k)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGradients = no_grad();
        Tensor a = RandomTensor.Create(1, batches, m, k).to(bfloat16), b = RandomTensor.Create(2, batches, k, n).to(bfloat16), added = RandomTensor.Create(3, batches, m, n).to(bfloat16);
        Tensor turned = b.transpose(1, 2).contiguous().transpose(1, 2);
        Tensor product = a.to(float32).bmm(b.to(float32));
        Close(product, a.bmm(b));
        Close(product, a.bmm(turned));
        Close((added.to(float32) * 1.5f) + (product * -0.5f), added.baddbmm(a, turned, beta: 1.5f, alpha: -0.5f));
        // The same batch for all, as broadcasting gives it.
        Close(a.narrow(0, 0, 1).to(float32).matmul(b.to(float32)), a.narrow(0, 0, 1).expand(batches, m, k).bmm(b));
    }

    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(1, 300, 40)]
    [InlineData(300, 1, 40)]
    [InlineData(70, 50, 1)]
    [InlineData(515, 130, 77)]
    public void EveryLayoutInFloat32EqualsFloat64(long m, long n, long k)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGradients = no_grad();
        foreach (Tensor a in Layouts(1, m, k))
        {
            foreach (Tensor b in Layouts(2, k, n))
            {
                Tensor bias = RandomTensor.Create(3, n), product = a.to(float64).matmul(b.to(float64));
                Same(product, a.matmul(b));
                Same(product + bias, nn.functional.linear(a, b.transpose(0, 1), bias));
                Same(((product * -0.5f) + (bias * 1.5f)).unsqueeze(0), bias.expand(1, m, n).baddbmm(a.unsqueeze(0), b.unsqueeze(0), beta: 1.5f, alpha: -0.5f));
                // Batches, of which each has its own matrices, and of which all have the same.
                Tensor left = stack([a, a * 2, a * 3]), right = b.unsqueeze(0).expand(3, k, n);
                Same(stack([product, product * 2, product * 3]), left.bmm(right));
            }
        }

        static Tensor[] Layouts(ulong seed, long rows, long columns)
        {
            Tensor plain = RandomTensor.Create(seed, rows, columns), line = RandomTensor.Create(seed, 1, columns), wide = RandomTensor.Create(seed, rows, columns + 3);
            return
            [
                plain, plain.transpose(0, 1).contiguous().transpose(0, 1), wide.narrow(1, 2, columns), line.expand(rows, columns),
                line.narrow(1, 0, 1).expand(rows, columns), RandomTensor.Create(seed, rows, 2 * columns).slice(1, 0, 2 * columns, 2),
            ];
        }

        static void Same(Tensor expected, Tensor given)
        {
            Assert.Equal(expected.shape, given.shape);
            Assert.InRange((given.to(float64) - expected).abs().max().item<double>(), 0, 2e-6 * (10 + expected.abs().max().item<double>()));
        }
    }

    [Fact]
    public void ARowDoesNotDependOnWhatItIsComputedWith()
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGradients = no_grad();
        Tensor a = RandomTensor.Create(1, 700, 1200).to(bfloat16), b = RandomTensor.Create(2, 640, 1200).to(bfloat16);
        Tensor whole = nn.functional.linear(a, b);
        Tensor part = nn.functional.linear(a.narrow(0, 301, 45), b);
        Assert.Equal(whole.narrow(0, 301, 45).to(float32).data<float>().ToArray(), part.to(float32).data<float>().ToArray());
    }

    [Fact]
    public void GradientsEqualFloat32()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor x = RandomTensor.Create(1, 90, 70), w = RandomTensor.Create(2, 50, 70), b = RandomTensor.Create(3, 50), slope = RandomTensor.Create(4, 90, 50);
        Tensor[] given = Gradients(bfloat16), expected = Gradients(float32);
        for (int i = 0; i < given.Length; i++)
            Close(expected[i], given[i]);

        Tensor[] Gradients(ScalarType type)
        {
            Tensor[] leaves = [.. new[] { x, w, b }.Select(t => t.to(bfloat16).to(type).requires_grad_(true))];
            (nn.functional.linear(leaves[0], leaves[1], leaves[2]) * slope.to(bfloat16).to(type)).sum().backward();
            return [.. leaves.Select(leaf => leaf.grad!)];
        }
    }

    [Fact]
    public void NumbersThatAreNotFiniteStayWhereTheyAre()
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGradients = no_grad();
        Tensor a = ones([33, 40], bfloat16), b = ones([40, 35], bfloat16);
        a.narrow(0, 3, 1).narrow(1, 7, 1).fill_(float.NaN);
        Tensor finite = a.matmul(b).to(float32).isfinite().to(float32);
        Assert.Equal(32 * 35, finite.sum().item<float>());
        Assert.Equal(0, finite.narrow(0, 3, 1).sum().item<float>());
    }

    private static void Close(Tensor expected, Tensor given)
    {
        Assert.Equal(expected.shape, given.shape);
        // Up to two roundings to 8 bits, of numbers as large as the largest.
        Assert.InRange((given.to(float32) - expected.to(float32)).abs().max().item<float>(), 0, expected.abs().max().item<float>() / 64);
    }
}
