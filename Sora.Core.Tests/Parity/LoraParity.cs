using System.Globalization;
using System.Text.Json;
using Sora.Transformer;
using Sora.Weights;
using Xunit;

namespace Sora.Tests.Parity;

/// <summary>
/// A transformer, and LoRAs for it in several spellings: the merged weights at each scale, and what the network then gives.
/// </summary>
internal static class LoraParity
{
    private const string Merged = "merged_scale";
    private const string Output = "output_scale";

    public static void Run(string folder)
    {
        using IDisposable noGradients = no_grad();
        foreach (string call in FixtureFolder.Calls(folder))
        {
            using DisposeScope scope = NewDisposeScope();
            using var reference = new ReferenceCase(call);
            string model = Path.GetFullPath(Path.Combine(call, Text(reference, "model")));
            using LoraAdapter adapter = LoraAdapter.Load(Path.Combine(call, Text(reference, "lora")));
            Assert.Equal(reference.Description.GetProperty("changed_tensors").GetInt32(), adapter.Parameters.Count);

            string[] merged = [.. Directory.EnumerateFiles(call, $"{Merged}*.safetensors")];
            Assert.NotEmpty(merged);
            foreach (string file in merged)
                CheckWeights(reference, model, adapter, file);
            if (reference.Has("output_base"))
                CheckOutput(reference, model, [], "output_base");
            foreach (string name in reference.Names.Where(name => name.StartsWith(Output, StringComparison.Ordinal)))
                CheckOutput(reference, model, [(adapter, Number(name[Output.Length..]))], name);
        }
    }

    private static void CheckWeights(ReferenceCase reference, string model, LoraAdapter adapter, string file)
    {
        double scale = Number(Path.GetFileNameWithoutExtension(file)[Merged.Length..]);
        using WeightStore original = SafetensorsStore.Open(model), expected = SafetensorsStore.Open(file);
        using var actual = new LoraStore(SafetensorsStore.Open(model), [(adapter, scale)]);
        Assert.Equal(expected.Names.Order(StringComparer.Ordinal), actual.Names.Order(StringComparer.Ordinal));
        Assert.Empty(actual.Notes);
        foreach (string name in expected.Names)
        {
            using DisposeScope scope = NewDisposeScope();
            Tensor values = actual.Read(name, float32, CPU);
            reference.Close($"{name} at {scale}", expected.Read(name, float32, CPU), values, reference.Tolerance("merged"));
            if (!adapter.Changes(name))
                Assert.Equal(original.Read(name, float32, CPU).bytes.ToArray(), values.bytes.ToArray());
        }
    }

    private static void CheckOutput(ReferenceCase reference, string model, (LoraAdapter, double)[] loras, string name)
    {
        using DisposeScope scope = NewDisposeScope();
        WanTransformerConfig config = WanTransformerConfig.Load(Path.Combine(model, "config.json"));
        using var network = new DiffusionTransformer(config, new CheckpointParameters(new LoraStore(SafetensorsStore.Open(model), loras), float32, CPU));
        const string image = "encoder_hidden_states_image";
        TextContext text = network.Prepare(reference.Get("encoder_hidden_states"), reference.Has(image) ? reference.Get(image) : null);
        Tensor velocity = network.Forward(reference.Get("hidden_states"), reference.Numbers("timestep"), text);
        reference.Close(name, velocity, reference.Tolerance("output"));
    }

    private static string Text(ReferenceCase reference, string field) =>
        reference.Description.GetProperty(field) is { ValueKind: JsonValueKind.String } value ? value.GetString()! : throw new InvalidDataException(field);

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);
}
