using Sora.Latents;

namespace Sora.Layers;

/// <summary>
/// Parameters at their initial values, a function of the seed and each parameter's name: adding a part to a network
/// does not change how the others start.
/// </summary>
/// <param name="seed">The seed.</param>
/// <param name="computeType">The type of matrix products; the parameters themselves are float32.</param>
/// <param name="device">Where the parameters go; null is the CPU.</param>
public sealed class FreshParameters(ulong seed, ScalarType computeType, Device? device = null) : ParameterSource(float32, computeType)
{
    /// <inheritdoc/>
    protected override Tensor Create(string name, long[] shape, Initialization initialization, ScalarType type)
    {
        if (initialization.Kind == InitializationKind.Constant)
            return full(shape, initialization.Scale, type, device ?? CPU);
        var values = new float[shape.Aggregate(1L, (a, b) => a * b)];
        var random = new GaussianNoise(seed, name);
        if (initialization.Kind == InitializationKind.Normal)
            random.Fill(values);
        else
            random.FillUniform(values);
        using Tensor raw = tensor(values, shape);
        return (raw * initialization.Scale).to(type).to(device ?? CPU);
    }
}
