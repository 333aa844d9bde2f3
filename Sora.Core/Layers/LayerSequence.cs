namespace Sora.Layers;

/// <summary>The layers of a network that follow one another and are alike. One user at a time.</summary>
internal abstract class LayerSequence<T>(int count)
{
    /// <summary>The number of layers.</summary>
    public int Count { get; } = count;

    /// <summary>A layer, to be used before another is asked for; cheapest in ascending order, from the last on to the first.</summary>
    /// <exception cref="SoraException">Its weights cannot be read.</exception>
    public abstract T this[int index] { get; }
}
