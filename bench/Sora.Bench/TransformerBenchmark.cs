using Sora.Patches;
using Sora.Weights;

namespace Sora.Bench;

/// <summary>
/// The transformer's forward pass, in bfloat16, at the shapes of Wan 2.1 1.3B and of the pocket model, beside a bare
/// bfloat16 matrix product of its largest shape at 2,000 rows. What is computed once a video, the text's keys and values,
/// is neither timed nor counted.
/// </summary>
internal static class TransformerBenchmark
{
    public static IEnumerable<Measurement> Run(bool quick)
    {
        PatchGrid tiny = new(2, 4, 4);
        return
        [
            .. Measure("2,000 tokens", TransformerCase.Wan(quick, 3), quick ? tiny : new(5, 20, 20), quick ? 16 : 512, quick ? 1 : 7, 0.85),
            .. Measure("8,000 tokens", TransformerCase.Wan(quick, 1), quick ? tiny : new(5, 40, 40), quick ? 16 : 512, quick ? 1 : 3, 0.7),
            .. Measure("pocket's width, 2,000 tokens", TransformerCase.Pocket(quick), quick ? tiny : new(5, 20, 20), 40, quick ? 1 : 7, 0.6),
        ];
    }

    private static IEnumerable<Measurement> Measure(string name, WanTransformerConfig config, PatchGrid grid, int rows, int rounds, double least)
    {
        using var network = new TransformerCase(config, grid, 1, rows);
        using var product = new MatrixProduct(2000, config.InnerDim, config.FfnDim);
        Share share = Median.ShareOf((network.Forward, network.Operations), product.Work, rounds);
        yield return new($"matrix product, bf16 ({name})", share.Limit / 1e9, "GFLOP/s");
        yield return new($"transformer forward, bf16, {name}", share.Rate / 1e9, "GFLOP/s");
        yield return new($"transformer forward / matrix product, {name}", share.Value, "%", Least: least);
    }
}
