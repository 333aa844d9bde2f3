using Sora.Estimation;
using Sora.Text;
using Sora.Weights;

namespace Sora.Bench;

/// <summary>The text encoder at the shapes of UMT5-XXL, two layers of it, 512 tokens, beside the matrix product of its largest shape.</summary>
internal static class TextEncoderBenchmark
{
    public static IEnumerable<Measurement> Run(bool quick)
    {
        using IDisposable noGradients = no_grad();
        using DisposeScope scope = NewDisposeScope();
        var config = new UMT5Config
        {
            DModel = quick ? 64 : 4096,
            DKv = quick ? 16 : 64,
            DFf = quick ? 128 : 10_240,
            NumHeads = quick ? 4 : 64,
            NumLayers = 2,
            VocabSize = 1000, // a look-up takes no time, whatever the table's length
        };
        long l = quick ? 16 : 512;
        using var encoder = new UMT5Encoder(config, new RepeatedParameters());
        Tensor ids = tensor(Enumerable.Range(0, (int)l).Select(i => (long)(i % 1000)).ToArray(), [1, l]).to(BenchDevice.Current);
        Tensor mask = ones([1, l], device: BenchDevice.Current);
        using var product = new MatrixProduct(l, config.DModel, config.DFf);
        Share share = Median.ShareOf((() => encoder.Encode(ids, mask).Dispose(), TextEncoderOperations.Prompt(config, l)), product.Work, quick ? 1 : 7);
        yield return new("matrix product, bf16 (text encoder)", share.Limit / 1e9, "GFLOP/s");
        yield return new("text encoder / matrix product, UMT5-XXL shapes, 512 tokens", share.Value, "%", Least: 0.8);
    }
}
