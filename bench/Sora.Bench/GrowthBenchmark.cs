using Sora.Patches;

namespace Sora.Bench;

/// <summary>
/// How cost grows: seconds of one block of Wan 2.1 1.3B's shapes against tokens and against clips of 500 tokens, and seconds
/// and peak memory of decoding 128×128 against frames; with the exponents of the fitted power laws, and where attention
/// takes over.
/// </summary>
internal static class GrowthBenchmark
{
    public static IEnumerable<Measurement> Run(bool quick)
    {
        var rows = new List<Measurement>();
        GrowthCurve tokens = Tokens(quick, rows), attention = Attention(quick, rows);
        rows.Add(new("growth with tokens: exponent of a block's time", tokens.Law.Exponent, ""));
        rows.AddRange(tokens.Points.Zip(attention.Points, (block, own) =>
            new Measurement($"attention's share of a block's time, {block.X:N0} tokens", own.Y / block.Y, "%")));
        // 2·N·D·(6·D + 2·F) operations of products and 4·N²·D of attention are equal there.
        Weights.WanTransformerConfig wan = TransformerCase.Wan(quick: false, 1);
        rows.Add(new("tokens at which attention has half of a block's operations, by count", (6 * wan.InnerDim + (2 * wan.FfnDim)) / 2.0, "tokens"));
        GrowthCurve batch = Batch(quick, rows);
        rows.Add(new("growth with clips: exponent of a block's time", batch.Law.Exponent, ""));
        var curves = new List<GrowthCurve> { tokens, attention, batch };
        if (BenchDevice.Current.type == DeviceType.CPU && !quick) // the memory benchmark tries the same
            curves.AddRange(Frames(rows));
        if (!quick)
            GrowthPlot.Save(curves, Path.Combine(Repository.Root, "bench", BenchDevice.Current.type == DeviceType.CPU ? "growth.svg" : "growth-cuda.svg"));
        return rows;
    }

    private static GrowthCurve Tokens(bool quick, List<Measurement> rows) => Measure("a block, tokens", "s", TokenCounts(quick), rows, n =>
    {
        using var network = new TransformerCase(TransformerCase.Wan(quick, 1), GridOf((int)n), 1, quick ? 16 : 512);
        return Median.Seconds(network.Forward, quick ? 1 : 2);
    });

    private static GrowthCurve Attention(bool quick, List<Measurement> rows) => Measure("attention alone, tokens", "s", TokenCounts(quick), rows, n =>
    {
        using IDisposable noGradients = no_grad();
        using DisposeScope scope = NewDisposeScope();
        Tensor[] inputs = AttentionBenchmark.Inputs((long)n);
        return Median.Seconds(() => AttentionBenchmark.Attend(inputs), quick ? 1 : 2);
    });

    private static GrowthCurve Batch(bool quick, List<Measurement> rows) => Measure("a block, clips of 500 tokens", "s", quick ? [1, 2] : [1, 2, 4, 8, 16], rows, clips =>
    {
        using var network = new TransformerCase(TransformerCase.Wan(quick, 1), GridOf(quick ? 60 : 500), (int)clips, quick ? 16 : 512);
        return Median.Seconds(network.Forward, quick ? 1 : 2);
    });

    private static IEnumerable<GrowthCurve> Frames(List<Measurement> rows)
    {
        double[] counts = [5, 17, 65, 257, 1001];
        (double Peak, double Seconds)[] results = [.. counts.Select(count => DecodingMemoryBenchmark.Decode((int)count))];
        GrowthCurve seconds = new("decoding, frames", "s", [.. counts.Zip(results, (x, y) => (x, y.Seconds))]);
        GrowthCurve memory = new("peak memory of decoding, frames", "MiB", [.. counts.Zip(results, (x, y) => (x, y.Peak / (1 << 20)))]);
        rows.AddRange(seconds.Rows());
        rows.AddRange(memory.Rows());
        // The first frames also pay for what is made once.
        rows.Add(new("growth with frames: exponent of decoding's time", seconds.Law.Exponent, ""));
        rows.Add(new("growth with frames: exponent of decoding's peak memory", memory.Law.Exponent, "", Most: 0.02));
        return [seconds, memory];
    }

    private static GrowthCurve Measure(string name, string unit, double[] xs, List<Measurement> rows, Func<double, double> seconds)
    {
        var curve = new GrowthCurve(name, unit, [.. xs.Select(x => (x, seconds(x)))]);
        rows.AddRange(curve.Rows());
        return curve;
    }

    private static double[] TokenCounts(bool quick) => quick ? [60, 120] : [500, 1000, 2000, 4000, 8000, 16_000];

    // Five latent frames, as wide as they must be.
    private static PatchGrid GridOf(int tokens) => new(5, 4, tokens / 20);
}
