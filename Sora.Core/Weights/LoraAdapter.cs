namespace Sora.Weights;

/// <summary>
/// A LoRA file: what it adds to which parameters of a transformer, in diffusers' names whatever the spelling. The tensors
/// stay in the mapped file until they are applied.
/// </summary>
public sealed class LoraAdapter : IDisposable
{
    private readonly LoraTensors _tensors;
    private readonly LoraSpelling _spelling;
    private readonly Dictionary<string, LoraDelta[]> _deltas;

    private LoraAdapter(LoraTensors tensors)
    {
        _tensors = tensors;
        (_spelling, IReadOnlyList<LoraFileReader.Change> changes) = LoraFileReader.Read(tensors);
        _deltas = changes.GroupBy(change => change.Parameter, change => change.Delta).ToDictionary(group => group.Key, group => group.ToArray());
    }

    /// <summary>The path of the file.</summary>
    public string Path => _tensors.Path;

    /// <summary>The names of the parameters that it changes.</summary>
    public IReadOnlyCollection<string> Parameters => _deltas.Keys;

    /// <summary>
    /// Opens a file in the spelling of diffusers, of the original release (ComfyUI) or of kohya, and checks it: every matrix has
    /// its partner of the same rank, every number is finite.
    /// </summary>
    /// <exception cref="SoraException">The file cannot be read, is damaged, or is no LoRA for a Wan transformer.</exception>
    public static LoraAdapter Load(string path)
    {
        var tensors = new LoraTensors(path);
        try
        {
            return new LoraAdapter(tensors);
        }
        catch
        {
            tensors.Dispose();
            throw;
        }
    }

    /// <summary>Whether a file is a LoRA: one of safetensors with names of its spellings, whatever else is wrong with it.</summary>
    /// <exception cref="SoraException">The file is one of safetensors and is damaged.</exception>
    public static bool IsLora(string path)
    {
        if (!File.Exists(path) || !path.EndsWith(".safetensors", StringComparison.OrdinalIgnoreCase))
            return false;
        using var file = SafetensorsFile.Open(path);
        // A LoRA for another network is one too, and told as that.
        return file.Entries.Keys.Any(name => LoraTarget.Find(name) is not null || name.Contains(".lora_", StringComparison.Ordinal));
    }

    /// <summary>What the file holds.</summary>
    public LoraDescription Describe()
    {
        LoraDelta[] deltas = [.. _deltas.Values.SelectMany(list => list)];
        long[] ranks = [.. deltas.OfType<LowRankDelta>().Select(pair => pair.Rank)];
        return new(_spelling, _deltas.Count, ranks.Length, deltas.Length - ranks.Length,
            ranks.DefaultIfEmpty().Min(), ranks.DefaultIfEmpty().Max(), _tensors.Entries.Values.Sum(entry => entry.ByteLength));
    }

    /// <summary>Whether it changes a parameter.</summary>
    public bool Changes(string parameter) => _deltas.ContainsKey(parameter);

    /// <summary>weight + scale · what the file adds to the parameter; the weight stays as it is.</summary>
    /// <param name="parameter">The name in diffusers.</param>
    /// <param name="weight">Its values, float32, on any device.</param>
    /// <param name="scale">The scale that the user gives.</param>
    /// <returns>The weight itself where the file does not change it, else a new tensor.</returns>
    public Tensor Apply(string parameter, Tensor weight, double scale)
    {
        if (!_deltas.TryGetValue(parameter, out LoraDelta[]? deltas))
            return weight;
        using DisposeScope scope = NewDisposeScope();
        Tensor sum = weight;
        foreach (LoraDelta delta in deltas)
            sum = delta.AddTo(sum, _tensors, scale);
        return scope.MoveToOuter(sum);
    }

    /// <summary>Unmaps the file.</summary>
    public void Dispose() => _tensors.Dispose();

    internal IReadOnlyList<LoraDelta> DeltasOf(string parameter) => _deltas[parameter];
}
