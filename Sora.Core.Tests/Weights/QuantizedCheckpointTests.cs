using Sora.Layers;
using Sora.Tests.Engine;
using Sora.Tests.Generation;
using Sora.Weights;
using Xunit;

namespace Sora.Tests.Weights;

/// <summary>Transformers with random weights in GGUF files that Sora writes.</summary>
[Collection(LiveTensors.Name)]
public sealed class QuantizedCheckpointTests : IDisposable
{
    private static readonly PublishedModel Pocket = PublishedModel.Find("pocket");

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(WeightQuantization.Q8_0, "Q8_0", 7)]
    [InlineData(WeightQuantization.Q4_K, "Q4_K", 14)]
    public async Task TheFolderIsTheModelAndRuns(WeightQuantization quantization, string matrices, int fileType)
    {
        long bytes = RandomCheckpoint.Write(Pocket, _folder.File("model"), WeightPrecision.BF16, seed: 3, quantization: quantization);
        string file = _folder.File("model", "transformer", "diffusion_pytorch_model.gguf");
        using (GgufFile gguf = GgufFile.Open(file))
        {
            Assert.Equal("wan", gguf.Architecture);
            Assert.Equal((uint)fileType, gguf.Metadata["general.file_type"]);
            Assert.Equal(matrices, gguf.Entries["blocks.0.self_attn.q.weight"].Type.ToString());
            Assert.Equal(GgufType.F32, gguf.Entries["blocks.0.norm3.weight"].Type);
            // 128 columns are no block of 256: the next type that fits.
            Assert.Equal(GgufType.Q8_0, gguf.Entries["text_embedding.0.weight"].Type);
        }
        ModelFolder folder = ModelFolder.Open(_folder.File("model"));
        Assert.Equal(Pocket.Transformer, folder.Transformer);
        Assert.Equal(Pocket.Defaults, folder.Defaults);
        Assert.InRange(folder.WeightBytes - bytes, 1, 1 << 20); // The headers.
        using (WeightStore store = folder.OpenWeights("transformer"))
            Assert.All(ParameterList.Of(folder.Transformer), parameter => Assert.Equal(parameter.Shape, store.ShapeOf(parameter.Name)));
        // The file alone is recognised too, and info tells what it is.
        ModelInspection found = ModelInspection.Of(_folder.File("model"));
        Assert.Null(found.Problem);
        Assert.Contains(found.Networks.Single(network => network.Part == "transformer").Formats, format => format.Key == matrices);

        byte[] resident = await GenerateAsync(streaming: false), streamed = await GenerateAsync(streaming: true);
        Assert.Equal(resident, streamed);
    }

    [Theory]
    [InlineData(GgufType.Q8_0)]
    [InlineData(GgufType.Q4_K)]
    public void BlocksHaveTheDeviationOfTheirInitialisation(object type)
    {
        foreach (Initialization initialization in (Initialization[])[Initialization.Normal(0.02), Initialization.FanIn(5120), Initialization.Xavier(256, 1024), Initialization.Zero])
        {
            double deviation = initialization.Kind == InitializationKind.Uniform ? initialization.Scale / Math.Sqrt(3) : initialization.Scale;
            float[] values = Values((GgufType)type, initialization);
            Assert.InRange(values.Average(value => (double)value) / Math.Max(deviation, 1e-9), -0.02, 0.02);
            Assert.InRange(Math.Sqrt(values.Average(value => (double)value * value)), 0.97 * deviation, 1.03 * deviation);
            Assert.All(values, value => Assert.InRange(Math.Abs(value), 0, 2.2 * deviation));
            foreach (int distance in deviation == 0 ? (int[])[] : [1, 16, 32, 256])
                Assert.InRange(Enumerable.Range(0, values.Length - distance).Average(i => (double)values[i] * values[i + distance]) / (deviation * deviation), -0.02, 0.02);
        }
    }

    [Fact]
    public void TheSeedDecidesEveryByte()
    {
        byte[] Weights(string name, ulong seed)
        {
            RandomCheckpoint.Write(Pocket, _folder.File(name), WeightPrecision.F32, seed, "transformer", WeightQuantization.Q4_K);
            return File.ReadAllBytes(_folder.File(name, "transformer", "diffusion_pytorch_model.gguf"));
        }
        byte[] one = Weights("one", 1);
        Assert.Equal(one, Weights("again", 1));
        Assert.NotEqual(one, Weights("two", 2));
        Assert.Equal(["config.json", "diffusion_pytorch_model.gguf"], Directory.EnumerateFileSystemEntries(_folder.File("one", "transformer")).Select(Path.GetFileName).Order());
    }

    [Fact]
    public void WhatIsNotQuantisedIsNamed()
    {
        Assert.Contains("vae is written as safetensors alone; a quantization is for: transformer",
            Assert.Throws<SoraException>(() => RandomCheckpoint.Write(Pocket, _folder.File("x"), WeightPrecision.F32, 0, "vae", WeightQuantization.Q8_0)).Message, StringComparison.Ordinal);
        Assert.Contains("Quantization 'q4_0' is unknown; known: q8_0, q4_k", Assert.Throws<SoraException>(() => WeightQuantizations.Parse("q4_0")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AFolderWithoutTheRightFileIsRefused()
    {
        RandomCheckpoint.Write(Pocket, _folder.File("model"), WeightPrecision.F32, quantization: WeightQuantization.Q8_0);
        string file = _folder.File("model", "transformer", "diffusion_pytorch_model.gguf");
        string Error() => Assert.Throws<SoraException>(() => ModelFolder.Open(_folder.File("model"))).Message;

        File.Copy(file, _folder.File("model", "transformer", "other.gguf"));
        Assert.Contains("diffusion_pytorch_model.gguf and other.gguf are both there", Error(), StringComparison.Ordinal);
        File.Delete(_folder.File("model", "transformer", "other.gguf"));
        File.WriteAllBytes(file, TestGguf.Small().ToBytes());
        Assert.Contains("this is no network that Sora has, known by its tensors; looked for a Transformer", Error(), StringComparison.Ordinal);
        File.Delete(file);
        Assert.Contains("no weights; looked for", Error(), StringComparison.Ordinal);
    }

    [Fact]
    public void AFileWithAWrongDescriptionIsNotWritten()
    {
        string path = _folder.File("x.gguf");
        GgufContent good = new("a", GgufType.F32, [2], stream => stream.Write(new byte[8]));
        Assert.Throws<ArgumentException>(() => GgufWriter.Write(path, [], [good, good]));
        Assert.Throws<ArgumentException>(() => GgufWriter.Write(path, [], [good with { Type = GgufType.Q8_0 }]));
        Assert.Throws<ArgumentException>(() => GgufWriter.Write(path, [new("a", 1.5)], [good]));
        Assert.Throws<InvalidOperationException>(() => GgufWriter.Write(path, [], [new("a", GgufType.F32, [3], good.WriteTo)]));
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Path));
    }

    // A small video with what the folder holds.
    private async Task<byte[]> GenerateAsync(bool streaming)
    {
        using VideoGenerator generator = await VideoGenerator.LoadAsync(_folder.File("model"),
            new() { Device = "cpu", Precision = Precision.Full, Threads = 1, KeepComponents = false, LayerStreaming = streaming });
        return await Pixels.OfAsync(generator, new("a red fish swims left") { Seed = 1, Steps = 2, Width = 32, Height = 32, FrameCount = 5 });
    }

    private static float[] Values(GgufType type, Initialization initialization)
    {
        using var stream = new MemoryStream();
        // More than one buffer of blocks.
        RandomBlocks.Write(type, new NetworkParameter("w", [64, 5120], initialization, false), position: 7, stream);
        byte[] blocks = stream.ToArray();
        Assert.Equal(64 * 5120 / type.BlockElements() * type.BlockBytes(), blocks.Length);
        var values = new float[64 * 5120];
        unsafe
        {
            fixed (byte* source = blocks)
            fixed (float* target = values)
                GgufTensor.Convert<SingleOutput>(type, source, (byte*)target, blocks.Length / type.BlockBytes());
        }
        return values;
    }
}
