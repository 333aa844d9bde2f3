using Sora.Layers;
using Sora.Weights;

namespace Sora.Training.FineTuning;

/// <summary>The size and the places of a LoRA that is trained.</summary>
/// <exception cref="SoraException">A value lies outside its range.</exception>
public sealed record LoraConfig
{
    private static readonly ValueRange<int> s_ranks = new(1, 1024);
    private static readonly ValueRange<double> s_alphas = new(0.001, 10_000);

    /// <summary>The attention projections and the feed-forward layers of every block.</summary>
    public static IReadOnlyList<string> DefaultModules { get; } = ["to_q", "to_k", "to_v", "to_out.0", "ffn.net.0.proj", "ffn.net.2"];

    /// <summary>The rank of the matrices (<c>rank</c>).</summary>
    /// <value>1 to 1024. Default 16.</value>
    public int Rank { get; init => field = s_ranks.Require("rank", value)!.Value; } = 16;

    /// <summary>The products are multiplied with alpha / rank (<c>alpha</c>).</summary>
    /// <value>0.001 to 10000. Default 16.</value>
    public double Alpha { get; init => field = s_alphas.Require("alpha", value)!.Value; } = 16;

    /// <summary>The linear layers that are adapted, in diffusers' names: whole, or their ends, as peft matches them (<c>modules</c>).</summary>
    public IReadOnlyList<string> Modules { get; init; } = DefaultModules;

    /// <summary>The number format of the file, of half the size with <c>bf16</c> (<c>precision</c>). What is trained on is float32 in either.</summary>
    /// <value><c>f32</c> or <c>bf16</c>. Default <c>f32</c>.</value>
    public WeightPrecision Precision
    {
        get;
        init => field = value == WeightPrecision.F16 ? throw new SoraException("A LoRA's precision is f16; allowed: f32, bf16; nearest: bf16.") : value;
    }

    /// <summary>Requires that every entry of <see cref="Modules"/> is a linear layer of a transformer.</summary>
    /// <exception cref="SoraException">One is not; the message names the nearest that is.</exception>
    internal void Require(WanTransformerConfig transformer)
    {
        if (Modules.Count == 0)
            throw new SoraException($"modules is empty; by default: {string.Join(", ", DefaultModules)}.");
        string[] linear = [.. ParameterList.Of(transformer).Where(p => p.Shape.Length == 2 && p.Name.EndsWith(".weight", StringComparison.Ordinal)).Select(p => p.Name[..^".weight".Length])];
        string[] ends = [.. linear.SelectMany(Ends).Distinct()];
        foreach (string module in Modules)
            if (!linear.Any(name => LowRankAdapters.IsAmong([module], name)))
                throw new SoraException($"modules: the transformer has no linear layer '{module}'; nearest: {NearestName.Find(module, ends) ?? "to_q"}.");
    }

    private static IEnumerable<string> Ends(string name)
    {
        string[] parts = name.Split('.');
        return Enumerable.Range(0, parts.Length).Select(i => string.Join('.', parts[i..]));
    }
}
