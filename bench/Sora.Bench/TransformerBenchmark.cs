using Sora.Latents;
using Sora.Patches;
using Sora.Transformer;
using Sora.Weights;

namespace Sora.Bench;

/// <summary>
/// The transformer's forward pass at the shapes of Wan 2.1 1.3B, fewer blocks of it, beside a bare bfloat16 matrix product
/// of its largest shape. What is computed once a video, the text's keys and values, is neither timed nor counted.
/// </summary>
internal static class TransformerBenchmark
{
    public static IEnumerable<Measurement> Run(bool quick)
    {
        using IDisposable noGradients = no_grad();
        using DisposeScope scope = NewDisposeScope();
        var config = new WanTransformerConfig
        {
            NumAttentionHeads = quick ? 2 : 12,
            AttentionHeadDim = quick ? 64 : 128,
            InChannels = 16,
            OutChannels = 16,
            TextDim = quick ? 64 : 4096,
            FfnDim = quick ? 256 : 8960,
            NumLayers = quick ? 1 : 3,
        };
        PatchGrid grid = quick ? new(2, 4, 4) : new(5, 20, 20); // 2,000 tokens
        int rows = quick ? 16 : 512;
        using var network = new DiffusionTransformer(config, new RepeatedParameters());
        using TextContext text = network.Prepare(Random([1, rows, config.TextDim], "text")).Detach();
        using var sequence = new PackedSequence([grid], config.AttentionHeadDim, CPU);
        TokenTimes times = TokenTimes.PerClip(sequence.Layout, [700]);
        Tensor patches = Random([grid.Count, 16 * 4], "patches");
        Tensor x = Random([grid.Count, config.InnerDim], "x").to(bfloat16);
        Tensor weight = Random([config.FfnDim, config.InnerDim], "weight").to(bfloat16);

        Share share = Median.ShareOf(
            (() => Forward(network, patches, times, text, sequence), Operations(config, grid.Count, rows)),
            (() => nn.functional.linear(x, weight).Dispose(), 2.0 * grid.Count * config.InnerDim * config.FfnDim),
            quick ? 1 : 7);
        yield return new("matrix product, bf16", share.Limit / 1e9, "GFLOP/s");
        yield return new("transformer forward, bf16", share.Rate / 1e9, "GFLOP/s");
        yield return new("transformer forward / matrix product", share.Value, "%", Least: 0.6);
    }

    private static void Forward(DiffusionTransformer network, Tensor patches, TokenTimes times, TextContext text, PackedSequence sequence)
    {
        using DisposeScope scope = NewDisposeScope();
        network.Forward(patches, times, text, sequence);
    }

    /// <summary>Multiplications and additions of the linear layers and of attention, for N tokens and L rows of text.</summary>
    private static double Operations(WanTransformerConfig config, double n, double l)
    {
        double d = config.InnerDim;
        double selfAttention = (4 * 2 * n * d * d) + (2 * 2 * n * n * d);
        double crossAttention = (2 * 2 * n * d * d) + (2 * 2 * n * l * d);
        double feedForward = 2 * 2 * n * d * config.FfnDim;
        double patches = 2 * n * d * 4 * (config.InChannels + config.OutChannels);
        return (config.NumLayers * (selfAttention + crossAttention + feedForward)) + patches;
    }

    private static Tensor Random(long[] shape, string stream)
    {
        var values = new float[shape.Aggregate(1L, (a, b) => a * b)];
        new GaussianNoise(1, stream).Fill(values);
        return tensor(values, shape);
    }
}
