using Sora.Layers;

namespace Sora.Bench;

/// <summary>
/// The engine's products against libtorch's own of the same shapes, the two taking turns: of float32 with a GELU after each, of bfloat16 on
/// matrix tiles forward and for both gradients; products in 8 bits against those that they stand for; and linear layers with what follows
/// them in a block against the same one after the other.
/// </summary>
internal static class ProductBenchmark
{
#if SYSTEM_TORCH
    public static IEnumerable<Measurement> Run(bool quick)
    {
        (string Name, long Rows, long Inputs, long Outputs)[] shapes = quick
            ? [("tiny", 40, 48, 64)]
            : [("1.3B's attention", 2000, 1536, 1536), ("1.3B's feed-forward, in", 2000, 1536, 8960), ("1.3B's feed-forward, out", 2000, 8960, 1536),
                ("the text encoder's", 512, 4096, 10240), ("the pocket's, in", 3840, 256, 1024), ("the pocket's, out", 3840, 1024, 256)];
        Measurement[] inFloat32 = [.. shapes.Select(shape => MeasureFloat32(shape.Name, shape.Rows, shape.Inputs, shape.Outputs, quick ? 1 : 9))];
        Measurement[] inInt8 = [.. shapes.SelectMany(shape => MeasureInt8(shape.Name, shape.Rows, shape.Inputs, shape.Outputs, quick ? 1 : 9))];
        if (!SystemEngine.HasTiles)
            return [.. inFloat32, .. inInt8, Measurement.Missing("product on tiles / libtorch's own", "×", "the processor has no matrix tiles")];
        return
        [
            .. inFloat32,
            .. inInt8,
            .. shapes.SelectMany(shape => Measure(shape.Name, shape.Rows, shape.Inputs, shape.Outputs, quick ? 1 : 15)),
            .. shapes.Select(shape => MeasureFused(shape.Name, shape.Rows, shape.Inputs, shape.Outputs, quick ? 1 : 9)),
        ];
    }

    // A layer and what is no product after it, as in a block: where both have threads of their own, these wait for each other.
    private static Measurement MeasureFloat32(string name, long rows, long inputs, long outputs, int rounds)
    {
        using IDisposable noGradients = no_grad();
        using DisposeScope scope = NewDisposeScope();
        Tensor x = BenchDevice.Random([rows, inputs], "x", float32), weight = BenchDevice.Random([outputs, inputs], "weight", float32) / Math.Sqrt(inputs);
        Share share = Median.ShareOf((() => Repeat(Layer), 1), (() => SystemEngine.WithLibraryProducts(() => Repeat(Layer)), 1), rounds);
        return new($"float32 product and GELU on libtorch's threads / the product on the library's own, {name}", share.Value, "×");

        void Layer()
        {
            using Tensor y = nn.functional.linear(x, weight);
            SystemEngine.Gelu(y).Dispose();
        }
    }

    // Against the type that --precision auto takes here.
    private static IEnumerable<Measurement> MeasureInt8(string name, long rows, long inputs, long outputs, int rounds)
    {
        using IDisposable noGradients = no_grad();
        using DisposeScope scope = NewDisposeScope();
        ScalarType type = ComputeTypes.Of(Precision.Auto, CPU);
        string row = $"product in 8 bits / in {(type == float32 ? "float32" : "bfloat16")}, {name}";
        if (!SystemEngine.HasInt8)
        {
            yield return Measurement.Missing(row, "×", "libtorch brings no products of 8 bits");
            yield break;
        }
        Tensor x = BenchDevice.Random([rows, inputs], "x", type), weight = (BenchDevice.Random([outputs, inputs], "weight", float32) / Math.Sqrt(inputs)).to(type);
        (Tensor, Tensor, Tensor) int8 = SystemEngine.Int8Weight(weight);
        Share share = Median.ShareOf((() => Repeat(() => SystemEngine.Int8Linear(x, int8, null).Dispose()), 1), (() => Repeat(() => nn.functional.linear(x, weight).Dispose()), 1), rounds);
        yield return new(row, share.Value, "×");
        Tensor exact = nn.functional.linear(x.to(float32), weight.to(float32)), error = SystemEngine.Int8Linear(x, int8, null).to(float32) - exact;
        yield return new($"error of the product in 8 bits, {name}", (error.norm() / exact.norm()).item<float>(), "%");
    }

    // With what follows such a layer in a block: where it widens a GELU, else the sum with the residual stream.
    private static Measurement MeasureFused(string name, long rows, long inputs, long outputs, int rounds)
    {
        using IDisposable noGradients = no_grad();
        using DisposeScope scope = NewDisposeScope();
        bool widens = outputs > inputs;
        // Of a network's size: a GELU takes long for numbers that no network has.
        Tensor x = BenchDevice.Random([rows, inputs], "x", bfloat16), weight = BenchDevice.Random([outputs, inputs], "weight", bfloat16) / Math.Sqrt(inputs);
        Tensor bias = BenchDevice.Random([outputs], "bias", bfloat16), stream = BenchDevice.Random([rows, outputs], "stream", float32);
        Tensor gate = BenchDevice.Random([1, outputs], "gate", float32), table = zeros([rows], int64);
        // Several calls each, so that what the first pays for the other's memory does not count.
        Share share = Median.ShareOf((() => Repeat(Together), 1), (() => Repeat(OneAfterTheOther), 1), rounds);
        return new($"linear layer and {(widens ? "GELU" : "gated sum")} together / one after the other, {name}", share.Value, "×");

        void Together() =>
            (widens ? SystemEngine.LinearGelu(x, weight, bias) : SystemEngine.LinearAdd(stream, x, weight, bias, gate, table)).Dispose();

        void OneAfterTheOther()
        {
            using Tensor y = nn.functional.linear(x, weight, bias);
            (widens ? SystemEngine.Gelu(y) : SystemEngine.AddGated(stream, y, gate, table)).Dispose();
        }
    }

    private static void Repeat(Action call)
    {
        for (int i = 0; i < 3; i++)
            call();
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
