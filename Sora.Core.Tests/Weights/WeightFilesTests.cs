using System.Text.Json;
using Sora.Weights;
using Xunit;

namespace Sora.Tests.Weights;

public sealed class WeightFilesTests : IDisposable
{
    private const string Single = "diffusion_pytorch_model.safetensors";
    private const string Index = Single + ".index.json";

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData(Single)]
    [InlineData("model.safetensors")]
    [InlineData("any_other_name.safetensors")]
    public void ASingleFileIsFound(string name)
    {
        Write(name, "a", "b.weight");
        using WeightFiles weights = WeightFiles.Open(folder.Path);
        Assert.Equal(["a", "b.weight"], weights.Names);
        using WeightFiles file = WeightFiles.Open(folder.File(name));
        Assert.Equal(weights.Names, file.Names);
    }

    [Fact]
    public void ShardsAreOneSet()
    {
        Write("1.safetensors", "a", "bb");
        Write("2.safetensors", "ccc");
        WriteIndex(new() { ["a"] = "1.safetensors", ["bb"] = "1.safetensors", ["ccc"] = "2.safetensors" });

        using WeightFiles weights = WeightFiles.Open(folder.Path);

        Assert.Equal(["a", "bb", "ccc"], weights.Names);
        Assert.Equal(TestWeights.Data("ccc", 8), weights.Bytes("ccc").ToArray());
        Assert.Equal([folder.File("1.safetensors"), folder.File("2.safetensors")], weights.Paths);
        Assert.Equal(folder.File("2.safetensors"), weights.PathOf("ccc"));
    }

    [Fact]
    public void NamesThatNobodyAskedForAreListed()
    {
        Write(Single, "a", "b", "c");
        using WeightFiles weights = WeightFiles.Open(folder.Path);

        Assert.Equal("b", weights.Require("b").Name);
        Assert.Null(weights.Find("d"));
        Assert.NotEqual(0, weights.Pointer("a"));

        Assert.Equal(["c"], weights.UnusedNames);
    }

    [Fact]
    public void AnAbsentNameNamesTheNearest()
    {
        Write(Single, "blocks.0.attn1.to_q.weight");
        using WeightFiles weights = WeightFiles.Open(folder.Path);
        Assert.Contains("no tensor 'blocks.0.attn.to_q.weight' among its 1; nearest: 'blocks.0.attn1.to_q.weight'",
            Assert.Throws<SoraException>(() => weights.Require("blocks.0.attn.to_q.weight")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void MissingShardsAreListed()
    {
        Write("1.safetensors", "a");
        WriteIndex(new() { ["a"] = "1.safetensors", ["b"] = "2.safetensors", ["c"] = "3.safetensors" });
        AssertRefused("2 of 3 files are missing: 2.safetensors, 3.safetensors");
    }

    [Fact]
    public void ATensorThatItsShardLacksIsNamed()
    {
        Write("1.safetensors", "a");
        Write("2.safetensors", "b");
        WriteIndex(new() { ["a"] = "1.safetensors", ["b"] = "2.safetensors", ["c"] = "2.safetensors" });
        AssertRefused("tensor 'c' is to be in 2.safetensors, which does not have it");
        WriteIndex(new() { ["a"] = "2.safetensors", ["b"] = "1.safetensors" });
        AssertRefused("tensor 'a' is to be in 2.safetensors, but is in 1.safetensors");
    }

    [Fact]
    public void ATensorInTwoFilesIsNamed()
    {
        Write("1.safetensors", "a");
        Write("2.safetensors", "a", "b");
        WriteIndex(new() { ["a"] = "1.safetensors", ["b"] = "2.safetensors" });
        AssertRefused("tensor 'a' is in two files, 1.safetensors and 2.safetensors");
    }

    [Theory]
    [InlineData("../secret.safetensors")]
    [InlineData("/etc/passwd")]
    [InlineData("..")]
    [InlineData("a\\b")]
    [InlineData("")]
    public void AnIndexDoesNotReachOutOfItsFolder(string shard)
    {
        WriteIndex(new() { ["a"] = shard });
        AssertRefused("allowed: the name of a file in the same folder");
    }

    [Fact]
    public void FoldersWithoutOneAnswerAreRefused()
    {
        folder.Write("diffusion_pytorch_model.bin", "pickle");
        AssertRefused("no weights; looked for diffusion_pytorch_model.safetensors");
        AssertRefused("found diffusion_pytorch_model.bin");
        Write(Single, "a");
        WriteIndex(new() { ["a"] = Single });
        AssertRefused($"{Single} and {Index} are both there");
        folder.Write(Index, "{}");
        File.Delete(folder.File(Single));
        AssertRefused("weight_map is missing");
        folder.Write(Index, """{"weight_map":{}}""");
        AssertRefused("weight_map is empty");
        folder.Write(Index, """{"weight_map":{"a":1}}""");
        AssertRefused("weight_map['a'] is 1");
        Assert.Contains("no such folder", Assert.Throws<SoraException>(() => WeightFiles.Open(folder.File("none"))).Message, StringComparison.Ordinal);
    }

    private void Write(string file, params string[] names) =>
        SafetensorsWriter.Write(folder.File(file), names.Select(name => TestWeights.Tensor(name, SafetensorsType.F32, 2)));

    private void WriteIndex(Dictionary<string, string> shardOf) =>
        folder.Write(Index, JsonSerializer.Serialize(new { metadata = new { total_size = 8 }, weight_map = shardOf }));

    private void AssertRefused(string message) =>
        Assert.Contains(message, Assert.Throws<SoraException>(() => WeightFiles.Open(folder.Path)).Message, StringComparison.Ordinal);
}
