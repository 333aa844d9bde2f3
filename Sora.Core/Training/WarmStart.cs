using Sora.Layers;
using Sora.Weights;

namespace Sora.Training;

/// <summary>Begins a training with the weights of a finished component in place of random ones.</summary>
internal static class WarmStart
{
    /// <summary>Copies a component's weights into a network of the same config.</summary>
    /// <param name="target">The network's parameters, by name.</param>
    /// <param name="folder">The component's folder with <c>*.safetensors</c>.</param>
    /// <param name="build">Builds the network from the files, which checks names and shapes.</param>
    /// <exception cref="SoraException">The files are missing, damaged, or of another config.</exception>
    public static void Copy(
        IReadOnlyDictionary<string, Parameter> target, string folder,
        Func<ParameterSource, IReadOnlyDictionary<string, Parameter>> build)
    {
        using IDisposable noGradients = no_grad();
        using var source = new CheckpointParameters(folder, float32, CPU, CheckpointParameters.TextEncoderNames);
        foreach ((string name, Parameter parameter) in build(source))
            target[name].copy_(parameter);
    }
}
