namespace Sora.Bench;

/// <summary>The bare bfloat16 product of [n, k] and [k, m] that a network's rate is compared with.</summary>
internal sealed class MatrixProduct(long n, long k, long m) : IDisposable
{
    private readonly Tensor _x = BenchDevice.Random([n, k], "x", bfloat16).DetachFromDisposeScope();
    private readonly Tensor _weight = BenchDevice.Random([m, k], "weight", bfloat16).DetachFromDisposeScope();

    /// <summary>The product, and its floating-point operations.</summary>
    public (Action Call, double Operations) Work => (() => nn.functional.linear(_x, _weight).Dispose(), 2.0 * n * k * m);

    public void Dispose()
    {
        _x.Dispose();
        _weight.Dispose();
    }
}
