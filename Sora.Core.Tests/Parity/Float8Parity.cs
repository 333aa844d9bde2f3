using Sora.Transformer;
using Sora.Weights;
using Xunit;

namespace Sora.Tests.Parity;

/// <summary>Folders with 8-bit weights: what each byte stands for, and transformers in the layouts of several programs.</summary>
internal static class Float8Parity
{
    public static void Run(string folder)
    {
        string[] cases = [.. Directory.EnumerateDirectories(folder).Where(c => File.Exists(Path.Combine(c, "case.json"))).Order(StringComparer.Ordinal)];
        Assert.NotEmpty(cases);
        foreach (string one in cases)
            Check(one);
    }

    private static void Check(string folder)
    {
        using IDisposable noGradients = no_grad();
        string path = Directory.EnumerateFiles(folder, "*.safetensors")
            .Single(file => Path.GetFileName(file) is not ("expected.safetensors" or "io.safetensors"));
        bool isNetwork = File.Exists(Path.Combine(folder, "config.json"));
        using (WeightStore store = Open(path, isNetwork))
        {
            // The product of value and scale is rounded once; a plain cast is exact.
            bool scaled = WeightNames(path).Any(name => name.EndsWith(".scale_weight", StringComparison.Ordinal) || name.EndsWith(".weight_scale", StringComparison.Ordinal));
            StoredWeights.Check(folder, store, (_, _) => value => scaled ? MathF.BitIncrement(MathF.Abs(value)) - MathF.Abs(value) : 0);
            StoredWeights.CheckBFloat16(store);
        }
        if (!isNetwork)
            return;
        WeightStore weights = Open(path, isNetwork);
        using var network = new DiffusionTransformer(TransformerOutput.ConfigOf(folder, weights), new CheckpointParameters(weights, float32, CPU));
        TransformerOutput.Check(folder, network, "output");
    }

    private static WeightStore Open(string path, bool isNetwork) =>
        isNetwork ? TransformerOutput.WithPublishedNames(SafetensorsStore.Open(path)) : SafetensorsStore.Open(path);

    private static string[] WeightNames(string path)
    {
        using WeightFiles files = WeightFiles.Open(path);
        return [.. files.Names];
    }
}
