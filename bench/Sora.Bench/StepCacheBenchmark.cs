using System.Globalization;
using Sora.Latents;
using Sora.Patches;
using Sora.Sampling;
using Sora.Transformer;
using Sora.VideoVae;
using Sora.Weights;

namespace Sora.Bench;

/// <summary>
/// What the step cache saves and what it costs, at several thresholds: for the pocket model the PSNR of the decoded frames
/// against those without a cache, at Wan 2.1 1.3B's shapes with random weights that of the latent (the span of the latent
/// without a cache being the signal). Random weights move otherwise than trained ones: those rows show that skipping
/// works at that size and what it saves, not what a trained model's video loses.
/// </summary>
internal static class StepCacheBenchmark
{
    private static readonly double[] s_thresholds = [0, 0.05, 0.1, 0.15, 0.2, 0.3];

    private sealed record Result(double Threshold, double Psnr, double Skipped, double Time);

    public static IEnumerable<Measurement> Run(bool quick) => [.. Pocket(quick), .. Wan(quick)];

    private static IEnumerable<Measurement> Pocket(bool quick)
    {
        if ((quick ? Repository.TinyModel : Repository.PocketModel) is not { } model)
            return [Measurement.Missing("step cache, pocket", "dB", "models/pocket is missing")];
        using IDisposable noGradients = no_grad();
        ModelFolder folder = ModelFolder.Open(model);
        using var transformer = new DiffusionTransformer(folder.Transformer, new CheckpointParameters(folder.TransformerPath, float32, CPU));
        using var vae = new VideoAutoencoder(folder.Vae, new CheckpointParameters(folder.VaePath, float32, CPU));
        using var normalizer = new LatentNormalizer(folder.Vae, CPU);
        int steps = quick ? 4 : 20;
        string[] prompts = PocketCase.Prompts[..(quick ? 1 : 3)];
        Result[] results = [.. s_thresholds.Select(threshold => new Result(threshold, 0, 0, 0))];
        foreach (string prompt in prompts)
        {
            using DisposeScope scope = NewDisposeScope();
            using var video = new PocketCase(transformer, folder, prompt, quick);
            Tensor expected = Pixels(video.Sample(Sampler.UniPC, steps));
            double plain = Median.Once(() => video.Sample(Sampler.UniPC, steps).Dispose());
            for (int i = 0; i < results.Length; i++)
            {
                using DisposeScope one = NewDisposeScope();
                var count = new StepCacheCount();
                Tensor? latent = null;
                double time = Median.Once(() => latent = video.Sample(Sampler.UniPC, steps, () => new StepCache(s_thresholds[i], count)));
                results[i] = results[i] with
                {
                    Psnr = results[i].Psnr + (Psnr(Pixels(latent!), expected, 255) / prompts.Length),
                    Skipped = results[i].Skipped + ((double)count.Skipped / count.Evaluations / prompts.Length),
                    Time = results[i].Time + (time / plain / prompts.Length),
                };
            }

            // 8-bit frames, as a viewer gets them.
            Tensor Pixels(Tensor latent) => ((vae.Decode(normalizer.Restore(latent)) + 1) * 127.5).round();
        }
        return Rows("pocket", "frames", results);
    }

    private static IEnumerable<Measurement> Wan(bool quick)
    {
        PatchGrid grid = quick ? new(2, 4, 4) : new(5, 10, 10);
        using DisposeScope scope = NewDisposeScope();
        using var network = new TransformerCase(TransformerCase.Wan(quick, 4), grid, 1, quick ? 16 : 512);
        Tensor noise = BenchDevice.Random([1, network.Config.InChannels, grid.T, 2L * grid.H, 2L * grid.W], "noise");
        int steps = quick ? 4 : 12;
        Tensor expected = Sample(null, new());
        double plain = Median.Once(() => Sample(null, new()).Dispose());
        float span = (expected.max() - expected.min()).cpu().item<float>();
        return Rows("Wan 2.1 1.3B shapes, 4 blocks of random weights", "latent", [.. s_thresholds.Select(threshold =>
        {
            using DisposeScope one = NewDisposeScope();
            var count = new StepCacheCount();
            Tensor? latent = null;
            double time = Median.Once(() => latent = Sample(threshold, count));
            return new Result(threshold, Psnr(latent!, expected, span), (double)count.Skipped / Math.Max(1, count.Evaluations), time / plain);
        })]);

        Tensor Sample(double? threshold, StepCacheCount count)
        {
            using StepCache? cache = threshold is { } change ? new(change, count) : null;
            using var solver = new EulerSolver(NoiseSchedule.FlowMatchEuler(steps, 3));
            return FlowSampler.Sample((sample, step) => Patchify.Join(
                network.Predict(Patchify.Cut(sample, network.Config.PatchSize), step.Time, cache),
                1, grid, network.Config.PatchSize, network.Config.OutChannels), noise, solver);
        }
    }

    private static IEnumerable<Measurement> Rows(string name, string what, Result[] results)
    {
        Console.WriteLine($"| step cache, {name} | evaluations skipped | PSNR of the {what} | time / without |");
        Console.WriteLine("| --- | --- | --- | --- |");
        foreach (Result result in results)
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {result.Threshold} | {result.Skipped * 100:0} % | {result.Psnr:0.0} dB | {result.Time:0.00} |"));
        Console.WriteLine();
        foreach (Result result in results)
        {
            string row = string.Create(CultureInfo.InvariantCulture, $"step cache {result.Threshold}, {name}");
            // At 0 the network must be itself; the PSNR of equal numbers is infinite, which JSON cannot say.
            yield return result.Threshold == 0
                ? new($"{row}: share of equal numbers", double.IsPositiveInfinity(result.Psnr) ? 1 : 0, "%", Least: 1, Exact: true)
                : new($"{row}: PSNR of the {what}", double.IsPositiveInfinity(result.Psnr) ? null : result.Psnr, "dB", Note: double.IsPositiveInfinity(result.Psnr) ? "nothing was skipped" : null);
            yield return new($"{row}: evaluations skipped", result.Skipped, "%");
            yield return new($"{row}: time / without", result.Time, "");
        }
    }

    private static double Psnr(Tensor a, Tensor b, double span)
    {
        using DisposeScope scope = NewDisposeScope();
        double squared = (a - b).square().mean().cpu().item<float>();
        return squared == 0 ? double.PositiveInfinity : 10 * Math.Log10(span * span / squared);
    }
}
