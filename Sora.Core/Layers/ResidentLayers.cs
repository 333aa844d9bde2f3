namespace Sora.Layers;

/// <summary>Layers that are all in memory.</summary>
internal sealed class ResidentLayers<T>(T[] layers) : LayerSequence<T>(layers.Length)
{
    /// <inheritdoc/>
    public override T this[int index] => layers[index];
}
