using System.Globalization;
using System.Text.Json;
using Sora.Text;
using Sora.Transformer;
using Sora.Weights;
using Xunit;

namespace Sora.Tests.Parity;

/// <summary>Folders with a GGUF file: every type of tensor and metadata, transformers and text encoders in mixed types.</summary>
internal static class GgufParity
{
    /// <summary>Of a tensor's greatest value: dequantising multiplies and adds in some order.</summary>
    private const double RelativeTolerance = 1e-6;

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
        string path = Directory.EnumerateFiles(folder, "*.gguf").Single();
        using JsonDocument description = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "case.json")));
        if (description.RootElement.TryGetProperty("metadata", out JsonElement metadata))
            CheckMetadata(path, metadata);
        using (WeightStore store = Open(path))
        {
            double rowSum = description.RootElement.GetProperty("tolerance") is { ValueKind: JsonValueKind.Object } tolerance
                ? tolerance.GetProperty("rowsum").GetDouble() : 0;
            StoredWeights.Check(folder, store, (name, wanted) => Allowed(store, name, wanted), rowSum);
            StoredWeights.CheckBFloat16(store);
            if (description.RootElement.TryGetProperty("tensor_types", out JsonElement types))
                foreach (JsonProperty type in types.EnumerateObject())
                    Assert.Equal(type.Value.GetString(), store.StoredTypeOf(type.Name));
        }
        if (File.Exists(Path.Combine(folder, "config.json")))
            CheckOutput(folder, path);
    }

    private static Func<float, double> Allowed(WeightStore store, string name, float[] wanted)
    {
        string weight = name.StartsWith("rows.", StringComparison.Ordinal) ? name["rows.".Length..] : name;
        bool exact = store.StoredTypeOf(weight) is "F32" or "F16" or "BF16";
        double tolerance = exact ? 0 : RelativeTolerance * wanted.Max(Math.Abs);
        return _ => tolerance;
    }

    private static WeightStore Open(string path)
    {
        GgufStore store = GgufStore.Open(path);
        return store.Architecture == "t5encoder" ? new RenamedStore(store, OriginalNames.TextEncoderGguf.ToDiffusers)
            : TransformerOutput.WithPublishedNames(store);
    }

    private static void CheckOutput(string folder, string path)
    {
        using var reference = new ReferenceCase(folder);
        if (!reference.Has("input_ids"))
        {
            WeightStore weights = Open(path);
            using var network = new DiffusionTransformer(TransformerOutput.ConfigOf(folder, weights), new CheckpointParameters(weights, float32, CPU));
            TransformerOutput.Check(folder, network, "output_max_abs");
            return;
        }
        using DisposeScope scope = NewDisposeScope();
        using var encoder = new UMT5Encoder(UMT5Config.Load(Path.Combine(folder, "config.json")), new CheckpointParameters(Open(path), float32, CPU));
        Tensor mask = reference.Get("attention_mask"), tokens = mask.to(float32).unsqueeze(-1);
        Tensor vectors = encoder.Forward(reference.Get("input_ids"), mask);
        double allowed = reference.Description.GetProperty("tolerance").GetProperty("last_hidden_state_max_abs").GetDouble();
        reference.Close("last_hidden_state", reference.Get("last_hidden_state") * tokens, vectors * tokens, allowed);
    }

    private static void CheckMetadata(string path, JsonElement expected)
    {
        using GgufFile file = GgufFile.Open(path);
        foreach (JsonProperty property in expected.EnumerateObject())
        {
            if (property.Value.ValueKind == JsonValueKind.Array)
            {
                Assert.DoesNotContain(property.Name, file.Metadata.Keys);
                continue;
            }
            object value = file.Metadata[property.Name];
            Assert.Equal(property.Value.ToString(), value is bool ? value.ToString() : Convert.ToString(value, CultureInfo.InvariantCulture));
        }
    }
}
