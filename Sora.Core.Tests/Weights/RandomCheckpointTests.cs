using System.Runtime.InteropServices;
using Sora.Layers;
using Sora.Weights;
using Xunit;

namespace Sora.Tests.Weights;

/// <summary>Models with random weights, written and read back.</summary>
public sealed class RandomCheckpointTests : IDisposable
{
    private static readonly PublishedModel Pocket = PublishedModel.Find("pocket");

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void TheFolderIsTheModel()
    {
        long bytes = RandomCheckpoint.Write(Pocket, _folder.File("model"), WeightPrecision.BF16, seed: 3);
        ModelFolder folder = ModelFolder.Open(_folder.File("model"));
        Assert.Equal(Pocket.Transformer, folder.Transformer);
        Assert.Equal(Pocket.Vae, folder.Vae);
        Assert.Equal(Pocket.TextEncoder, folder.TextEncoder);
        Assert.Equal(Pocket.Defaults, folder.Defaults);
        Assert.InRange(folder.WeightBytes - bytes, 1, 1 << 20); // The headers.
        Assert.True(folder.OpenTokenizer().VocabularySize <= Pocket.TextEncoder.VocabSize);
        using WeightStore store = folder.OpenWeights("transformer");
        Assert.Equal("BF16", store.StoredTypeOf("blocks.0.attn1.to_q.weight"));
        Assert.Equal("F32", store.StoredTypeOf("blocks.0.scale_shift_table"));
        Assert.Equal(["model"], Directory.EnumerateFileSystemEntries(_folder.Path).Select(Path.GetFileName));
    }

    [Fact]
    public void TheSeedDecidesEveryValue()
    {
        byte[] Weights(string name, ulong seed)
        {
            RandomCheckpoint.Write(Pocket, _folder.File(name), WeightPrecision.F32, seed, "transformer");
            return File.ReadAllBytes(_folder.File(name, "transformer", "diffusion_pytorch_model.safetensors"));
        }
        byte[] one = Weights("one", 1);
        Assert.Equal(one, Weights("again", 1));
        Assert.NotEqual(one, Weights("two", 2));
        Assert.Equal(["transformer"], Directory.EnumerateFileSystemEntries(_folder.File("one")).Select(Path.GetFileName));
    }

    [Theory]
    [InlineData(SafetensorsType.F32)]
    [InlineData(SafetensorsType.BF16)]
    [InlineData(SafetensorsType.F16)]
    public void ValuesHaveTheirDistribution(SafetensorsType type)
    {
        float[] normal = Values(Initialization.Normal(0.5), type), uniform = Values(Initialization.FanIn(16), type);
        Assert.InRange(normal.Average(), -0.005, 0.005);
        Assert.InRange(normal.Average(value => value * value), 0.245, 0.255);
        Assert.InRange(normal.Average(value => Math.Abs(value) < 0.5 ? 1 : 0), 0.677, 0.689); // One deviation: 68.3 %.
        Assert.InRange(uniform.Average(value => value * value), 0.0202, 0.0215); // (1/4)²/3
        Assert.InRange(uniform.Max(), 0.2495, 0.25);
        Assert.All(Values(Initialization.One, type), value => Assert.Equal(1, value));
        // Neighbours, and values four apart, which come from the same place of other words, have nothing to do with each other.
        foreach (int distance in (int[])[1, 2, 3, 4, 8])
            Assert.InRange(Enumerable.Range(0, normal.Length - distance).Average(i => normal[i] * normal[i + distance]) / 0.25, -0.015, 0.015);
    }

    [Theory]
    [InlineData(0.5, 0)]
    [InlineData(0.8413447460685429, 1)]
    [InlineData(0.02275013194817921, -2)]
    [InlineData(7.62939453125e-06, -4.3249)]
    public void QuantilesOfTheNormalDistribution(double probability, double value) =>
        Assert.Equal(value, RandomValues.NormalQuantile(probability), 4);

    [Fact]
    public void LargeNetworksAreSharded()
    {
        SafetensorsContent[] tensors = [.. Enumerable.Range(0, 9).Select(i => TestWeights.Tensor($"t{i}", SafetensorsType.F32, i + 1))];
        ShardedWeights.Write(_folder.Path, "model", tensors, shardBytes: 64);
        Assert.Equal(["model-00001-of-00004.safetensors", "model-00002-of-00004.safetensors", "model-00003-of-00004.safetensors",
            "model-00004-of-00004.safetensors", "model.safetensors.index.json"], Directory.GetFiles(_folder.Path).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        using WeightFiles files = WeightFiles.Open(_folder.Path);
        Assert.All(tensors, tensor => Assert.Equal(TestWeights.Data(tensor.Name, tensor.ByteLength), files.Bytes(tensor.Name)));
        Assert.Contains("\"total_size\": 180", File.ReadAllText(_folder.File("model.safetensors.index.json")), StringComparison.Ordinal);
    }

    [Fact]
    public void WhatIsThereIsNotTouched()
    {
        _folder.Write("model/mine.txt", "mine");
        Assert.Contains("is there already", Assert.Throws<SoraException>(() => Write(_folder.File("model"))).Message, StringComparison.Ordinal);
        Assert.Contains("is there already", Assert.Throws<SoraException>(() => Write(_folder.File("model", "mine.txt"))).Message, StringComparison.Ordinal);
        Assert.Contains("cannot be written", Assert.Throws<SoraException>(() => Write(_folder.File("model", "mine.txt", "below"))).Message, StringComparison.Ordinal);
        Assert.Equal("mine", File.ReadAllText(_folder.File("model", "mine.txt")));
        Assert.Contains("allowed: transformer, vae, text_encoder",
            Assert.Throws<SoraException>(() => RandomCheckpoint.Write(Pocket, _folder.File("x"), WeightPrecision.F32, 0, "image_encoder")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AnInterruptedFolderIsGone()
    {
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        foreach (WeightQuantization? quantization in (WeightQuantization?[])[null, WeightQuantization.Q8_0])
            Assert.ThrowsAny<OperationCanceledException>(() => RandomCheckpoint.Write(Pocket, _folder.File("model"), WeightPrecision.F32, quantization: quantization, cancellationToken: cancelled.Token));
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Path));
    }

    [Fact]
    public void ADiskThatIsTooSmallIsNoticedBefore() =>
        Assert.Contains("GB are free on its disk",
            Assert.Throws<SoraException>(() => new NewModelFolder(_folder.File("model"), long.MaxValue).Dispose()).Message, StringComparison.Ordinal);

    private static void Write(string folder) => RandomCheckpoint.Write(Pocket, folder, WeightPrecision.F32, 0, "vae");

    private static float[] Values(Initialization initialization, SafetensorsType type)
    {
        using var stream = new MemoryStream();
        // Longer than one buffer, and of a length that is no multiple of four.
        new RandomValues(7).Write("transformer", new NetworkParameter("w", [3, 100_001], initialization, false), type, stream);
        byte[] bytes = stream.ToArray();
        return type switch
        {
            SafetensorsType.F32 => MemoryMarshal.Cast<byte, float>(bytes).ToArray(),
            SafetensorsType.F16 => [.. MemoryMarshal.Cast<byte, Half>(bytes).ToArray().Select(value => (float)value)],
            _ => [.. MemoryMarshal.Cast<byte, ushort>(bytes).ToArray().Select(value => BitConverter.UInt32BitsToSingle((uint)value << 16))],
        };
    }
}
