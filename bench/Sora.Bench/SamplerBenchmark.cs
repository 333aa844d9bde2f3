using System.Globalization;
using Sora.Transformer;
using Sora.Weights;

namespace Sora.Bench;

/// <summary>
/// How far each sampler's latent is from where the flow leads, at several numbers of steps: the norm of the difference over
/// that of the reference, which Heun's method takes many steps to. The mean over a few prompts, in float32, with the model's
/// own guidance and shift.
/// </summary>
internal static class SamplerBenchmark
{
    public static IEnumerable<Measurement> Run(bool quick)
    {
        if ((quick ? Repository.TinyModel : Repository.PocketModel) is not { } model)
            return [Measurement.Missing("sampler error", "%", "models/pocket is missing")];
        int[] counts = quick ? [1, 2, 4] : [5, 10, 20, 40];
        Sampler[] samplers = [.. SamplerNames.All.Select(SamplerNames.Parse)];
        double[,] errors = Measure(model, samplers, counts, reference: quick ? 8 : 160, PocketCase.Prompts[..(quick ? 1 : 3)], quick);
        Print(samplers, counts, errors);
        return [.. samplers.SelectMany((sampler, row) => counts.Select((steps, column) =>
            new Measurement($"{SamplerNames.NameOf(sampler)}, {steps} steps, error of the latent", errors[row, column], "%")))];
    }

    private static double[,] Measure(string model, Sampler[] samplers, int[] counts, int reference, string[] prompts, bool quick)
    {
        using IDisposable noGradients = no_grad();
        ModelFolder folder = ModelFolder.Open(model);
        using var transformer = new DiffusionTransformer(folder.Transformer, new CheckpointParameters(folder.TransformerPath, float32, CPU));
        var errors = new double[samplers.Length, counts.Length];
        foreach (string prompt in prompts)
        {
            Console.Error.WriteLine($"  {prompt} ...");
            using DisposeScope scope = NewDisposeScope();
            using var video = new PocketCase(transformer, folder, prompt, quick);
            Tensor exact = video.Sample(Sampler.Heun, reference);
            for (int row = 0; row < samplers.Length; row++)
            {
                for (int column = 0; column < counts.Length; column++)
                {
                    using DisposeScope one = NewDisposeScope();
                    Tensor difference = video.Sample(samplers[row], counts[column]) - exact;
                    errors[row, column] += difference.norm().item<float>() / exact.norm().item<float>() / prompts.Length;
                }
            }
        }
        return errors;
    }

    // The table of docs/sampling.md.
    private static void Print(Sampler[] samplers, int[] counts, double[,] errors)
    {
        Console.WriteLine($"| sampler | {string.Join(" | ", counts.Select(steps => $"{steps} steps"))} |");
        Console.WriteLine($"| --- |{string.Concat(counts.Select(_ => " --- |"))}");
        for (int row = 0; row < samplers.Length; row++)
        {
            IEnumerable<string> cells = counts.Select((_, column) => (errors[row, column] * 100).ToString("0.00 '%'", CultureInfo.InvariantCulture));
            Console.WriteLine($"| `{SamplerNames.NameOf(samplers[row])}` | {string.Join(" | ", cells)} |");
        }
        int at = counts.IndexOf(20) is var found and >= 0 ? found : counts.Length - 1;
        Console.WriteLine($"Least error at {counts[at]} steps: {Least(_ => true)}; with one call of the network a step: {Least(s => s != Sampler.Heun)}.\n");

        string Least(Func<Sampler, bool> takes) => SamplerNames.NameOf(
            samplers.Select((sampler, row) => (sampler, Error: errors[row, at])).Where(pair => takes(pair.sampler)).MinBy(pair => pair.Error).sampler);
    }
}
