using System.Text.Json;
using Sora.Transformer;
using Sora.Weights;

namespace Sora.Tests.Parity;

/// <summary>One call of a transformer whose weights came from another format than safetensors in 16 or 32 bits.</summary>
internal static class TransformerOutput
{
    private const string ComfyPrefix = "model.diffusion_model.";

    /// <summary>Asserts that the network gives the case's <c>output</c>, at the tolerance of this name.</summary>
    public static void Check(string folder, DiffusionTransformer network, string tolerance)
    {
        using DisposeScope scope = NewDisposeScope();
        using var reference = new ReferenceCase(folder);
        JsonElement tolerances = reference.Description.TryGetProperty("tolerance_max_abs", out JsonElement found)
            ? found : reference.Description.GetProperty("tolerance");
        TextContext text = network.Prepare(reference.Get("encoder_hidden_states"));
        Tensor velocity = network.Forward(reference.Get("hidden_states"), reference.Numbers("timestep"), text);
        reference.Close("output", velocity, tolerances.GetProperty(tolerance).GetDouble());
    }

    /// <summary>The config of a case, in diffusers' form or, next to files with the original names, in the original's.</summary>
    public static WanTransformerConfig ConfigOf(string folder, WeightStore store)
    {
        string path = Path.Combine(folder, "config.json");
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(path));
        JsonElement root = document.RootElement;
        if (root.GetProperty("_class_name").GetString() != "WanModel")
            return WanTransformerConfig.Load(path);
        int heads = root.GetProperty("num_heads").GetInt32();
        return new()
        {
            NumAttentionHeads = heads,
            AttentionHeadDim = root.GetProperty("dim").GetInt32() / heads,
            FfnDim = root.GetProperty("ffn_dim").GetInt32(),
            FreqDim = root.GetProperty("freq_dim").GetInt32(),
            InChannels = root.GetProperty("in_dim").GetInt32(),
            OutChannels = root.GetProperty("out_dim").GetInt32(),
            NumLayers = root.GetProperty("num_layers").GetInt32(),
            Eps = root.GetProperty("eps").GetDouble(),
            // The original leaves it to the code, which says 4096.
            TextDim = (int)store.ShapeOf("condition_embedder.text_embedder.linear_1.weight")[1],
        };
    }

    /// <summary>The weights under diffusers' names, whether the file has those or the original release's.</summary>
    public static WeightStore WithPublishedNames(WeightStore store) =>
        store.Names.Any(name => name.EndsWith(".modulation", StringComparison.Ordinal))
            ? new RenamedStore(store, name => OriginalNames.Transformer.ToDiffusers(name.StartsWith(ComfyPrefix, StringComparison.Ordinal) ? name[ComfyPrefix.Length..] : name))
            : store;
}
