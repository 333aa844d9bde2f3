namespace Sora.Weights;

/// <summary>The LoRAs that are active in a model, opened.</summary>
internal sealed class LoraSet : IDisposable
{
    private readonly List<(LoraFile File, LoraAdapter Adapter)> _loras = [];

    private LoraSet()
    {
    }

    /// <summary>Whether no LoRA is active.</summary>
    public bool IsEmpty => _loras.Count == 0;

    /// <summary>Opens and checks files.</summary>
    /// <exception cref="SoraException">A file is missing, damaged or no LoRA.</exception>
    public static LoraSet Open(IEnumerable<LoraFile> files)
    {
        var set = new LoraSet();
        try
        {
            foreach (LoraFile file in files)
                set._loras.Add((file, LoraAdapter.Load(file.Path)));
            return set;
        }
        catch
        {
            set.Dispose();
            throw;
        }
    }

    /// <summary>The store with the LoRAs of one transformer; the store itself where there are none. It owns the store, not the set.</summary>
    /// <param name="inner">The transformer's weights.</param>
    /// <param name="expert">Which of two transformers; <see cref="LoraExpert.All"/> for the only one.</param>
    /// <exception cref="SoraException">A LoRA was made for another model, or for an expert of a model that has one transformer.</exception>
    public WeightStore Over(WeightStore inner, LoraExpert expert)
    {
        if (expert == LoraExpert.All && _loras.FirstOrDefault(lora => lora.File.Expert != LoraExpert.All).File is { } choosy)
        {
            inner.Dispose();
            throw new SoraException($"{choosy.Path} is for the {choosy.Expert} expert, and the model has one transformer; allowed: {LoraExpert.All}.");
        }
        (LoraAdapter Adapter, double Scale)[] own =
            [.. _loras.Where(lora => lora.File.Expert == LoraExpert.All || lora.File.Expert == expert).Select(lora => (lora.Adapter, (double)lora.File.Scale))];
        return own.Length == 0 ? inner : new LoraStore(inner, own);
    }

    /// <summary>Closes the files; no transformer may still read through <see cref="Over"/>.</summary>
    public void Dispose()
    {
        foreach ((_, LoraAdapter adapter) in _loras)
            adapter.Dispose();
    }
}
