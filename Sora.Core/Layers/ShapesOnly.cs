namespace Sora.Layers;

/// <summary>Parameters without memory, for the names and shapes of a network of any size.</summary>
public sealed class ShapesOnly() : ParameterSource(float32, float32)
{
    /// <inheritdoc/>
    protected override Tensor Create(string name, long[] shape, Initialization initialization, ScalarType type) =>
        empty(shape, type, META);
}
