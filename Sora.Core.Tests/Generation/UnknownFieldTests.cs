using Sora.Tests.Weights;
using Xunit;

namespace Sora.Tests.Generation;

/// <summary>Fields that Sora does not know do not keep a model from running, and are told once.</summary>
public sealed class UnknownFieldTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task TheFirstVideoSaysWhatWasIgnored()
    {
        TinyModel.CopyTo(_folder.Path);
        string config = _folder.File("transformer", "config.json");
        File.WriteAllText(config, File.ReadAllText(config).Replace("\"ffn_dim\"", "\"colour\": 1, \"ffn_dim\"", StringComparison.Ordinal));
        using VideoGenerator generator = await TinyModel.LoadAsync(_folder.Path);
        var request = new VideoRequest("a fish") { Steps = 1, Seed = 1 };
        await using GeneratedVideo first = await generator.GenerateAsync(request);
        Assert.Equal(["Fields of the model that Sora does not know, and ignores: transformer/config.json: colour."], first.Notes);
        await using GeneratedVideo second = await generator.GenerateAsync(request);
        Assert.Empty(second.Notes);
    }
}
