using Sora.Latents;
using Sora.Layers;
using Sora.Patches;
using Sora.Training.Data;
using Sora.Transformer;
using Sora.Weights;

namespace Sora.Bench;

/// <summary>
/// Training steps (forward and backward) on a mix of clips as the drawn world has them at native sizes: 48×48 to 128×128, 9:16
/// to 16:9, half of them single pictures, the rest of 5 to 33 frames. Once packed, once with each clip padded to the largest of
/// its step. Tokens of padding cost time and teach nothing, so only the clips' own are counted.
/// </summary>
internal static class PackingBenchmark
{
    private const int Budget = 3840;

    public static IEnumerable<Measurement> Run(bool quick)
    {
        var shapes = new ClipShapes();
        PatchGrid[] grids =
        [
            .. Enumerable.Range(0, quick ? 60 : 4000).Select(i => shapes.Draw(new(8, 4), 1, (ulong)i, picture: i % 2 == 0))
                .Select(shape => new PatchGrid(((shape.Frames - 1) / 4) + 1, shape.Height / 8, shape.Width / 8)),
        ];
        var plan = new PackingPlan([.. grids.Select(grid => grid.Count)], quick ? 2400 : Budget, 1);
        int steps = quick ? 1 : 8;
        PatchGrid[][] packed = [.. Enumerable.Range(0, steps).Select(step => plan.Clips(step).Select(clip => grids[clip]).OrderBy(grid => grid.Count).ToArray())];
        PatchGrid[][] padded = [.. packed.Select(step => Enumerable.Repeat(new PatchGrid(step.Max(g => g.T), step.Max(g => g.H), step.Max(g => g.W)), step.Length).ToArray())];
        double useful = packed.Sum(step => step.Sum(grid => (double)grid.Count));

        yield return new("tokens of a step wasted by packing", plan.Unused, "%", Most: 0.05);
        yield return new("tokens wasted by padding to a step's largest clip", 1 - (useful / padded.Sum(step => step.Sum(grid => (double)grid.Count))), "%");

        var config = new WanTransformerConfig
        {
            NumAttentionHeads = 4,
            AttentionHeadDim = quick ? 16 : 64,
            InChannels = 48,
            OutChannels = 48,
            PatchSize = [1, 1, 1],
            TextDim = 128,
            FreqDim = 128,
            FfnDim = quick ? 64 : 1024,
            NumLayers = quick ? 1 : 8,
        };
        using var network = new DiffusionTransformer(config, new FreshParameters(1, bfloat16));
        foreach (Parameter parameter in network.Parameters.Values)
            parameter.requires_grad = true;
        double fast = useful / Seconds(packed), slow = useful / Seconds(padded);
        yield return new("training on packed clips", fast, "tokens/s");
        yield return new("training on padded clips", slow, "tokens/s");
        yield return new("packing / padding", fast / slow, "×", Least: 1);

        double Seconds(PatchGrid[][] batches) => Median.Seconds(
            () =>
            {
                foreach (PatchGrid[] batch in batches)
                    Train(network, batch);
            },
            quick ? 1 : 3);
    }

    private static void Train(DiffusionTransformer network, PatchGrid[] grids)
    {
        using DisposeScope scope = NewDisposeScope();
        using var sequence = new PackedSequence(grids, network.Config.AttentionHeadDim, CPU);
        var times = TokenTimes.PerClip(sequence.Layout, [.. grids.Select((_, i) => (float)(i * 37 % 1000))]);
        TextContext text = network.Prepare(Random([grids.Length, 40, network.Config.TextDim], "text"));
        Tensor velocity = network.Forward(Random([sequence.Layout.Count, 48], "patches"), times, text, sequence);
        velocity.square().mean().backward();
        foreach (Parameter parameter in network.Parameters.Values)
            parameter.grad = null;
    }

    private static Tensor Random(long[] shape, string stream)
    {
        var values = new float[shape.Aggregate(1L, (a, b) => a * b)];
        new GaussianNoise(1, stream).Fill(values);
        return tensor(values, shape);
    }
}
