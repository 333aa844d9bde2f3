using System.Globalization;

namespace Sora.Bench;

/// <summary>
/// Self-attention alone, 12 heads of 128 in bfloat16, beside the matrix product of the transformer's largest shape, and how
/// its memory grows with the tokens, each number of them in a process of its own.
/// </summary>
internal static class AttentionBenchmark
{
    /// <summary>The child that attends among so many tokens and gives the memory that it took above its inputs, in bytes.</summary>
    public const string Child = "attention";

    private const int Heads = 12;
    private const int HeadDim = 128;

    public static IEnumerable<Measurement> Run(bool quick)
    {
        using IDisposable noGradients = no_grad();
        using DisposeScope scope = NewDisposeScope();
        long n = quick ? 128 : 8000;
        using var product = new MatrixProduct(quick ? 32 : 2000, Heads * HeadDim, quick ? 64 : 8960);
        Tensor[] inputs = Inputs(n);
        Share share = Median.ShareOf((() => Attend(inputs), Operations(n)), product.Work, quick ? 1 : 5);
        yield return new("attention, bf16", share.Rate / 1e9, "GFLOP/s");
        yield return new($"attention / matrix product, {n:N0} tokens, 12 heads of 128", share.Value, "%", Least: 0.6);
        if (BenchDevice.Current.type != DeviceType.CPU)
            yield break;
        long[] tokens = quick ? [128, 256] : [2000, 4000, 8000, 16_000];
        double[] bytes = [.. tokens.Select(count => ChildProcess.Run(Child, count.ToString(CultureInfo.InvariantCulture))[0])];
        yield return new($"memory of attention at {tokens[^1]:N0} tokens above its inputs", bytes[^1] / (1 << 20), "MiB");
        // A matrix of scores would give 2.
        yield return new("growth of attention's memory: exponent of the tokens", PowerLaw.Fit(tokens.Select(t => (double)t), bytes.Select(b => Math.Max(b, 1))).Exponent, "", Most: 1.1);
    }

    /// <summary>Operations of the scores and the sums.</summary>
    public static double Operations(long n) => 4.0 * n * n * Heads * HeadDim;

    public static Tensor[] Inputs(long n) =>
        [.. Enumerable.Range(0, 3).Select(i => BenchDevice.Random([1, n, Heads, HeadDim], $"attention {i}", bfloat16).transpose(1, 2))];

    public static void Attend(Tensor[] qkv)
    {
        using DisposeScope scope = NewDisposeScope();
        nn.functional.scaled_dot_product_attention(qkv[0], qkv[1], qkv[2]);
    }

    public static IEnumerable<double> RunChild(string tokens)
    {
        using IDisposable noGradients = no_grad();
        using DisposeScope scope = NewDisposeScope();
        set_num_threads(Environment.ProcessorCount);
        // What the engine allocates at its first use is not attention's.
        Attend(Inputs(64));
        // Zeros take no time to make; the memory is that of any numbers.
        long n = long.Parse(tokens, CultureInfo.InvariantCulture);
        Tensor[] inputs = [.. Enumerable.Range(0, 3).Select(_ => ones([1, n, Heads, HeadDim], bfloat16).transpose(1, 2))];
        double before = ChildProcess.PeakMemory;
        Attend(inputs);
        return [ChildProcess.PeakMemory - before];
    }
}
