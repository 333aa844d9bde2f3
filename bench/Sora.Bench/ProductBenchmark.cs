namespace Sora.Bench;

/// <summary>
/// The engine's bfloat16 products against libtorch's own of the same shapes, forward and for both gradients, the two taking turns.
/// </summary>
internal static class ProductBenchmark
{
#if SYSTEM_TORCH
    public static IEnumerable<Measurement> Run(bool quick)
    {
        if (!SystemEngine.HasTiles)
            return [Measurement.Missing("product on tiles / libtorch's own", "×", "the processor has no matrix tiles")];
        (string Name, long Rows, long Inputs, long Outputs)[] shapes = quick
            ? [("tiny", 40, 48, 64)]
            : [("1.3B's attention", 2000, 1536, 1536), ("1.3B's feed-forward, in", 2000, 1536, 8960), ("1.3B's feed-forward, out", 2000, 8960, 1536),
                ("the text encoder's", 512, 4096, 10240), ("the pocket's, in", 3840, 256, 1024), ("the pocket's, out", 3840, 1024, 256)];
        return [.. shapes.SelectMany(shape => Measure(shape.Name, shape.Rows, shape.Inputs, shape.Outputs, quick ? 1 : 15))];
    }

    private static IEnumerable<Measurement> Measure(string name, long rows, long inputs, long outputs, int rounds)
    {
        using IDisposable noGradients = no_grad();
        using DisposeScope scope = NewDisposeScope();
        Tensor x = BenchDevice.Random([rows, inputs], "x", bfloat16), weight = BenchDevice.Random([outputs, inputs], "weight", bfloat16);
        Tensor slope = BenchDevice.Random([rows, outputs], "slope", bfloat16);
        double operations = 2.0 * rows * inputs * outputs;
        yield return Row("", () => nn.functional.linear(x, weight).Dispose());
        yield return Row(", gradient of the input", () => slope.matmul(weight).Dispose());
        yield return Row(", gradient of the weight", () => slope.transpose(0, 1).matmul(x).Dispose());

        Measurement Row(string what, Action product)
        {
            Share share = Median.ShareOf((product, operations), (() => SystemEngine.WithLibraryProducts(product), operations), rounds);
            return new($"product on tiles / libtorch's own, {name}{what}", share.Value, "×");
        }
    }
#else
    public static IEnumerable<Measurement> Run(bool quick) =>
        [Measurement.Missing("product on tiles / libtorch's own", "×", "TorchSharp has libtorch's own alone")];
#endif
}
