using System.Text.Json;
using Sora.Conditioning;
using Sora.Layers;
using Sora.Tests.Text;
using Sora.Text;
using Sora.Transformer;
using Sora.VideoVae;
using Sora.Weights;
using Xunit;

namespace Sora.Tests.Transformer;

/// <summary>
/// Every parameter's name and shape of the published checkpoints, built from their configs without memory, against the
/// lists that the reference classes gave.
/// </summary>
public class PublishedCheckpointTests
{
    private static string Folder => TestFiles.Folder("checkpoints");

    public static TheoryData<string> Lists => [.. Directory.EnumerateFiles(Folder, "*.json")
        .Select(file => Path.GetFileNameWithoutExtension(file)).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Lists))]
    public void EveryParameterHasThePublishedNameAndShape(string name)
    {
        using JsonDocument list = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Folder, name + ".json")));
        JsonElement root = list.RootElement;
        SortedDictionary<string, string> expected = new(StringComparer.Ordinal);
        foreach (JsonProperty parameter in root.GetProperty("parameters").EnumerateObject())
            expected.Add(parameter.Name, string.Join(", ", parameter.Value.EnumerateArray().Select(n => n.GetInt64())));

        using var source = new ShapesOnly();
        using IDisposable network = Build(name, root.GetProperty("config").GetRawText(), source);
        SortedDictionary<string, string> actual = new(StringComparer.Ordinal);
        long count = 0;
        foreach ((string parameter, Parameter tensor) in source.Parameters)
        {
            actual.Add(parameter, string.Join(", ", tensor.shape));
            count += tensor.NumberOfElements;
        }
        Assert.Equal(expected.Select(p => $"{p.Key} [{p.Value}]"), actual.Select(p => $"{p.Key} [{p.Value}]"));
        Assert.Equal(root.GetProperty("parameter_count").GetInt64(), count);
    }

    private static IDisposable Build(string name, string config, ShapesOnly source) => name.Split("__")[1] switch
    {
        "transformer" => new DiffusionTransformer(WanTransformerConfig.Parse(config), source),
        "vae" => new VideoAutoencoder(AutoencoderKLWanConfig.Parse(config), source),
        "text_encoder" => new UMT5Encoder(UMT5Config.Parse(config), source),
        "image_encoder" => new ClipVisionEncoder(ClipVisionConfig.Parse(config), source),
        string part => throw new InvalidDataException($"{name}: {part} is no part of a model."),
    };
}
