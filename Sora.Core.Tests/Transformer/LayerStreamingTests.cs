using System.Text.RegularExpressions;
using Sora.Layers;
using Sora.Tests.Engine;
using Sora.Tests.Parity;
using Sora.Tests.Text;
using Sora.Tests.Weights;
using Sora.Text;
using Sora.Training;
using Sora.Transformer;
using Sora.Weights;
using Xunit;

namespace Sora.Tests.Transformer;

/// <summary>Networks whose layers are read as they are used give the bits of those that are in memory whole.</summary>
[Collection(LiveTensors.Name)]
public sealed partial class LayerStreamingTests : IDisposable
{
    private const int Layers = 5;

    private readonly TemporaryFolder _folder = new();
    private readonly WanTransformerConfig _config = TestTransformer.Config with { NumLayers = Layers };

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public void SafetensorsGiveTheSameBits(bool storedShort, bool computedShort)
    {
        string path = WriteTransformer(storedShort ? bfloat16 : float32);
        RequireSame(_config, () => SafetensorsStore.Open(path), computedShort ? bfloat16 : float32);
    }

    [Fact]
    public void WithLorasTheyGiveTheSameBits()
    {
        string path = WriteTransformer(bfloat16);
        using LoraAdapter lora = LoraAdapter.Load(TestLora.Write(_folder.File("lora.safetensors"), TestLora.ForBlocks(_config)));
        byte[] with = RequireSame(_config, () => new LoraStore(SafetensorsStore.Open(path), [(lora, 0.5)]), bfloat16);
        Assert.NotEqual(with, RequireSame(_config, () => SafetensorsStore.Open(path), bfloat16));
    }

    [Theory]
    [InlineData("N_gguf/wan_K_mixed")]
    [InlineData("N_gguf/wan_Q8_0")]
    [InlineData("N_gguf/wan_BF16")]
    public void GgufGivesTheSameBits(string name)
    {
        string folder = TestFiles.Folder(name);
        WeightStore Open() => new Deeper(TransformerOutput.WithPublishedNames(GgufStore.Open(Path.Combine(folder, "model.gguf"))), "blocks");
        WanTransformerConfig config = WanTransformerConfig.Load(Path.Combine(folder, "config.json")) with { NumLayers = Layers };
        RequireSame(config, Open, float32);
        RequireSame(config, Open, bfloat16);
    }

    [Fact]
    public void TheTextEncoderGivesTheSameBits()
    {
        string folder = TestFiles.Folder("N_gguf/umt5_K_mixed");
        UMT5Config config = UMT5Config.Load(Path.Combine(folder, "config.json")) with { NumLayers = Layers };
        byte[] Run(bool streamed)
        {
            WeightStore store = new Deeper(new RenamedStore(GgufStore.Open(Path.Combine(folder, "model.gguf")), OriginalNames.TextEncoderGguf.ToDiffusers), "encoder.block");
            using IDisposable noGradients = no_grad();
            using DisposeScope scope = NewDisposeScope();
            using var encoder = new UMT5Encoder(config, new CheckpointParameters(store, float32, CPU, CheckpointParameters.TextEncoderNames, streamed));
            return encoder.Encode(tensor(new long[] { 3, 5, 7, 1 }, [1, 4]), ones([1, 4])).bytes.ToArray();
        }
        Assert.Equal(Run(streamed: false), Run(streamed: true));
    }

    [Fact]
    public void TwoBlocksAreInMemoryAndNothingIsLeft()
    {
        string path = WriteTransformer(float32);
        int perBlock, all;
        using (var shapes = new DiffusionTransformer(_config, new ShapesOnly()))
            (perBlock, all) = (shapes.Parameters.Keys.Count(name => name.StartsWith("blocks.0.", StringComparison.Ordinal)), shapes.Parameters.Count);
        long before = LiveTensors.Count();
        using (DiffusionTransformer network = Open(_config, SafetensorsStore.Open(path), float32, streamed: true))
        {
            // Blocks are alike, so that tensors count bytes.
            long held = all - ((Layers - 2) * perBlock);
            Assert.Equal(before + held, Tensor.TotalCount);
            Run(network);
            Run(network);
            // The thread that reads ahead looks at one tensor of the file at a time, of which there are at most three views.
            Assert.InRange(Tensor.TotalCount - before, held, held + 3);
            Assert.Equal(all - (Layers * perBlock), network.Parameters.Count);
        }
        Assert.Equal(before, Tensor.TotalCount);
        if (OperatingSystem.IsLinux())
            Assert.DoesNotContain(File.ReadLines("/proc/self/maps"), line => line.Contains(_folder.Path, StringComparison.Ordinal));
    }

    [Fact]
    public void AMissingBlockIsRefusedInTheSameWords()
    {
        string path = WriteTransformer(float32, name => !name.StartsWith("blocks.3.ffn.net.2", StringComparison.Ordinal));
        long before = LiveTensors.Count();
        string[] messages = [.. new[] { false, true }.Select(streamed =>
            Assert.Throws<SoraException>(() => Open(_config, SafetensorsStore.Open(path), float32, streamed)).Message)];
        Assert.Contains("blocks.3.ffn.net.2.weight", messages[0], StringComparison.Ordinal);
        Assert.Equal(messages[0], messages[1]);
        Assert.Equal(before, LiveTensors.Count());
    }

    [Fact]
    public void ABlockThatCannotBeReadFailsInTheSameWordsAndTheNextRunIsWhole()
    {
        string path = WriteTransformer(float32);
        var store = new Failing(SafetensorsStore.Open(path));
        using DiffusionTransformer network = Open(_config, store, float32, streamed: true);
        byte[] expected = Run(network);
        store.Fails = true;
        Assert.Equal(Failing.Words, Assert.Throws<SoraException>(() => Run(network)).Message);
        store.Fails = false;
        Assert.Equal(expected, Run(network));
    }

    private static byte[] RequireSame(WanTransformerConfig config, Func<WeightStore> open, ScalarType type)
    {
        using DiffusionTransformer resident = Open(config, open(), type, streamed: false), streamed = Open(config, open(), type, streamed: true);
        Assert.True(streamed.Parameters.Count < resident.Parameters.Count);
        byte[] expected = Run(resident);
        Assert.Equal(expected, Run(streamed));
        Assert.Equal(expected, Run(streamed)); // From the last block on to the first.
        return expected;
    }

    private static DiffusionTransformer Open(WanTransformerConfig config, WeightStore store, ScalarType type, bool streamed)
    {
        var parameters = new CheckpointParameters(store, type, CPU, streamed: streamed);
        try
        {
            return new(config, parameters);
        }
        catch
        {
            parameters.Dispose();
            throw;
        }
    }

    private static byte[] Run(DiffusionTransformer network)
    {
        using IDisposable noGradients = no_grad();
        using DisposeScope scope = NewDisposeScope();
        TextContext text = network.Prepare(RandomTensor.Create(1, 1, 7, network.Config.TextDim));
        Tensor velocity = network.Forward(RandomTensor.Create(2, 1, network.Config.InChannels, 2, 4, 6), [500], text);
        Assert.True(velocity.isfinite().all().item<bool>());
        return velocity.contiguous().bytes.ToArray();
    }

    private string WriteTransformer(ScalarType type, Func<string, bool>? has = null)
    {
        string path = _folder.File("model.safetensors");
        using var network = new DiffusionTransformer(_config, new FreshParameters(7, float32));
        using IDisposable noGradients = no_grad();
        foreach ((_, Parameter parameter) in network.Parameters)
            parameter.add_(0.01f); // What a fresh network has at zero would hide a block.
        SafetensorsWriter.Write(path, network.Parameters.Where(parameter => has is null || has(parameter.Key))
            .Select(parameter => TrainingState.ContentOf(parameter.Key, parameter.Value, type)));
        return path;
    }

    /// <summary>A store of one layer as one of any number, each with other weights.</summary>
    private sealed partial class Deeper(WeightStore inner, string list) : WeightStore
    {
        public override string Location => inner.Location;

        public override IReadOnlyCollection<string> Names => inner.Names;

        public override IReadOnlyList<string> UnusedNames => inner.UnusedNames;

        public override bool Contains(string name) => inner.Contains(Stored(name).Name);

        public override IReadOnlyList<long> ShapeOf(string name) => inner.ShapeOf(Stored(name).Name);

        public override string PathOf(string name) => inner.PathOf(Stored(name).Name);

        public override string StoredTypeOf(string name) => inner.StoredTypeOf(Stored(name).Name);

        public override Tensor Read(string name, ScalarType type, Device device)
        {
            (string stored, float factor) = Stored(name);
            using Tensor read = inner.Read(stored, type, device);
            return read.mul(factor);
        }

        public override void Dispose() => inner.Dispose();

        protected internal override void Fill(string name, Tensor target)
        {
            (string stored, float factor) = Stored(name);
            inner.ReadInto(stored, target);
            target.mul_(factor);
        }

        private (string Name, float Factor) Stored(string name)
        {
            Match layer = Number.Match(name);
            return !name.StartsWith(list + ".", StringComparison.Ordinal) ? (name, 1)
                : (Number.Replace(name, ".0.", 1), 1 - (0.1f * (layer.Value[1] - '0')));
        }

        [GeneratedRegex(@"\.[0-9]\.")]
        private static partial Regex Number { get; }
    }

    /// <summary>A store that can refuse a tensor of a block in the middle.</summary>
    private sealed class Failing(WeightStore inner) : WeightStore
    {
        public const string Words = "model.safetensors: the scales of blocks.2.attn1.to_v.weight are not numbers.";

        public volatile bool Fails;

        public override string Location => inner.Location;

        public override IReadOnlyCollection<string> Names => inner.Names;

        public override IReadOnlyList<string> UnusedNames => inner.UnusedNames;

        public override bool Contains(string name) => inner.Contains(name);

        public override IReadOnlyList<long> ShapeOf(string name) => inner.ShapeOf(name);

        public override string PathOf(string name) => inner.PathOf(name);

        public override string StoredTypeOf(string name) => inner.StoredTypeOf(name);

        public override Tensor Read(string name, ScalarType type, Device device) =>
            Fails && name == "blocks.2.attn1.to_v.weight" ? throw new SoraException(Words) : inner.Read(name, type, device);

        public override void Dispose() => inner.Dispose();
    }
}
