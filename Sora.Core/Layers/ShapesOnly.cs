namespace Sora.Layers;

/// <summary>Parameters without memory, for the names, shapes and types of a network of any size.</summary>
/// <param name="type">The type of the parameters of matrix products and convolutions; by default float32.</param>
public sealed class ShapesOnly(ScalarType type = ScalarType.Float32) : ParameterSource(type, type)
{
    /// <inheritdoc/>
    protected override Tensor Create(string name, long[] shape, Initialization initialization, ScalarType type) =>
        empty(shape, type, META);
}
