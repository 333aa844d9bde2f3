using Sora.Layers;

namespace Sora.Estimation;

/// <summary>The memory that a network's parameters take in the types in which it holds them.</summary>
/// <param name="Whole">All of them, in bytes.</param>
/// <param name="Streamed">Two layers and what is not in layers, in bytes; all of a network that cannot be read layer by layer.</param>
internal sealed record NetworkWeights(long Whole, long Streamed)
{
    /// <param name="type">The type of matrix products.</param>
    /// <param name="layers">The name of the list of layers; null for a network without.</param>
    /// <param name="build">Builds the network, which takes no memory here, and gives its parameters.</param>
    /// <param name="int8">Whether the matrices of the layers are held in 8 bits.</param>
    public static NetworkWeights Of(ScalarType type, string? layers, Func<ParameterSource, IReadOnlyDictionary<string, Parameter>> build, bool int8 = false)
    {
        using DisposeScope scope = NewDisposeScope();
        using var source = new ShapesOnly(type);
        long whole = 0, inLayers = 0, first = 0;
        foreach ((string name, Parameter parameter) in build(source))
        {
            bool inLayer = layers is not null && name.StartsWith(layers + ".", StringComparison.Ordinal);
            long bytes = parameter.NumberOfElements * (int8 && inLayer && parameter.ndim == 2 ? 1 : parameter.dtype == float32 ? 4 : 2);
            whole += bytes;
            if (!inLayer)
                continue;
            inLayers += bytes;
            if (name.StartsWith(layers + ".0.", StringComparison.Ordinal))
                first += bytes;
        }
        return new(whole, int8 ? whole : whole - inLayers + Math.Min(inLayers, 2 * first));
    }
}
