using Sora.Layers;

namespace Sora.Estimation;

/// <summary>The memory that a network's parameters take in the types in which it holds them.</summary>
/// <param name="Whole">All of them, in bytes.</param>
/// <param name="Streamed">Two layers and what is not in layers, in bytes.</param>
internal sealed record NetworkWeights(long Whole, long Streamed)
{
    /// <param name="type">The type of matrix products.</param>
    /// <param name="layers">The name of the list of layers; null for a network without.</param>
    /// <param name="build">Builds the network, which takes no memory here, and gives its parameters.</param>
    public static NetworkWeights Of(ScalarType type, string? layers, Func<ParameterSource, IReadOnlyDictionary<string, Parameter>> build)
    {
        using DisposeScope scope = NewDisposeScope();
        using var source = new ShapesOnly(type);
        long whole = 0, inLayers = 0, first = 0;
        foreach ((string name, Parameter parameter) in build(source))
        {
            long bytes = parameter.NumberOfElements * (parameter.dtype == float32 ? 4 : 2);
            whole += bytes;
            if (layers is null || !name.StartsWith(layers + ".", StringComparison.Ordinal))
                continue;
            inLayers += bytes;
            if (name.StartsWith(layers + ".0.", StringComparison.Ordinal))
                first += bytes;
        }
        return new(whole, whole - inLayers + Math.Min(inLayers, 2 * first));
    }
}
