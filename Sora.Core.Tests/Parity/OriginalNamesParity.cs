using Sora.Transformer;
using Sora.VideoVae;
using Sora.Weights;
using Xunit;

namespace Sora.Tests.Parity;

/// <summary>
/// Networks stored under the names of the original release: recognised by their tensors, each must give the values of the
/// cases that its <c>case.json</c> names.
/// </summary>
internal static class OriginalNamesParity
{
    public static void Run(string folder)
    {
        using IDisposable noGradients = no_grad();
        string[] networks = [.. Directory.EnumerateDirectories(folder).Order(StringComparer.Ordinal)];
        Assert.NotEmpty(networks);
        foreach (string network in networks)
            RunNetwork(network);
    }

    private static void RunNetwork(string folder)
    {
        NetworkFiles files = Assert.IsType<NetworkFiles>(NetworkFiles.Recognize(Assert.Single(Directory.GetFiles(folder, "*.safetensors"))));
        Assert.Equal("original", files.Naming.Author);
        using var description = System.Text.Json.JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "case.json")));
        string[] calls = [.. description.RootElement.GetProperty("same_values_as").EnumerateArray().Select(call => Path.GetFullPath(Path.Combine(folder, call.GetString()!)))];
        Assert.NotEmpty(calls);
        var parameters = new CheckpointParameters(files.Open(), float32, CPU);
        if (files.Kind == NetworkKind.Transformer)
        {
            using var transformer = new DiffusionTransformer(ModelFileReader.TransformerConfig(files), parameters);
            TransformerParity.CheckCalls(transformer, calls);
            Assert.Empty(parameters.UnusedNames);
        }
        else
        {
            Assert.Equal(NetworkKind.Vae, files.Kind);
            using var vae = new VideoAutoencoder(ModelFileReader.VaeConfig(files), parameters);
            VideoVaeParity.CheckCalls(vae, calls);
            Assert.Empty(parameters.UnusedNames);
        }
    }
}
