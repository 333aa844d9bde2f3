using Sora.Estimation;
using Sora.Patches;
using Sora.Training;
using Sora.Transformer;
using Sora.Weights;

namespace Sora.Bench;

/// <summary>
/// A training step, forward, backward, clipping and AdamW, counted as three forwards (the backward pass is two products for
/// each one), beside the matrix product of the network's largest shape. Weights are float32, products bfloat16.
/// </summary>
internal static class TrainingBenchmark
{
    public static IEnumerable<Measurement> Run(bool quick) =>
    [
        .. Measure("Wan 2.1 1.3B shapes", TransformerCase.Wan(quick, 1), quick ? new(2, 4, 4) : new(5, 10, 10), quick ? 1 : 4, quick ? 16 : 512, quick, 0.6),
        .. Measure("pocket's width", TransformerCase.Pocket(quick), quick ? new(2, 4, 4) : new(5, 4, 4), quick ? 2 : 25, 40, quick, 0.6),
    ];

    private static IEnumerable<Measurement> Measure(string name, WanTransformerConfig config, PatchGrid grid, int clips, int rows, bool quick, double least)
    {
        using IDisposable gradients = set_grad_enabled(true);
        using DisposeScope scope = NewDisposeScope();
        using var network = new DiffusionTransformer(config, new RepeatedParameters(float32));
        foreach (Parameter parameter in network.Parameters.Values)
            parameter.requires_grad = true;
        using var optimizer = new AdamW(network.Parameters);
        Tensor latents = BenchDevice.Random([clips, config.InChannels, grid.T, 2L * grid.H, 2L * grid.W], "latents");
        Tensor text = BenchDevice.Random([clips, rows, config.TextDim], "text");
        Tensor target = BenchDevice.Random([clips, config.OutChannels, grid.T, 2L * grid.H, 2L * grid.W], "target");
        float[] times = [.. Enumerable.Range(0, clips).Select(i => 100f + (i * 800f / clips))];
        double operations = 3 * (TransformerOperations.Evaluation(config, clips, grid.Count, rows, 0) + TransformerOperations.Preparation(config, clips, rows));
        double first = 0, last = 0;

        void Step()
        {
            using DisposeScope step = NewDisposeScope();
            using Tensor loss = (network.Forward(latents, times, network.Prepare(text)) - target).square().mean();
            loss.backward();
            GradientClipping.Apply(network.Parameters.Values, 1);
            optimizer.Step(1e-5);
            foreach (Parameter parameter in network.Parameters.Values)
                parameter.grad = null;
            last = loss.cpu().item<float>();
            first = first == 0 ? last : first;
        }

        using var product = new MatrixProduct((long)clips * grid.Count, config.InnerDim, config.FfnDim);
        Share share = Median.ShareOf((Step, operations), product.Work, quick ? 3 : 5);
        yield return new($"training step / matrix product at 3 forwards, {name}, {clips * grid.Count:N0} tokens", share.Value, "%", Least: least);
        yield return new($"loss after the steps / before, {name}", last / first, "", Most: 1, Exact: true);
    }
}
