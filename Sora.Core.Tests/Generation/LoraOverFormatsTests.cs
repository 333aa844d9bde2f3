using System.Runtime.InteropServices;
using Sora.Tests.Engine;
using Sora.Tests.Weights;
using Sora.Weights;
using Xunit;

namespace Sora.Tests.Generation;

/// <summary>
/// LoRAs on models of two experts, in GGUF and in 8-bit floats, whole videos through the public API. What is expected is the video of a
/// model whose weights were added up here, number by number.
/// </summary>
[Collection(LiveTensors.Name)]
public sealed class LoraOverFormatsTests : IDisposable
{
    private const string Weights = "diffusion_pytorch_model.safetensors";

    private static readonly VideoRequest Fish = new("a red fish swims left") { Seed = 42, Steps = 6 };

    // Rows of 64 are whole blocks of Q8_0.
    private static readonly WanTransformerConfig Transformer = TinyModel.Transformer with { AttentionHeadDim = 32, FfnDim = 64 };

    private readonly TemporaryFolder _folder = new();
    private readonly string _first;
    private readonly string _second;

    public LoraOverFormatsTests()
    {
        _first = TestLora.Write(_folder.File("first.safetensors"), TestLora.ForBlocks(Transformer));
        _second = TestLora.Write(_folder.File("second.safetensors"), TestLora.ForBlocks(Transformer, rank: 3));
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task EachExpertGetsItsOwn()
    {
        TinyModel.Create(_folder.File("model"), Transformer, twoExperts: true);
        LoraFile high = new(_first, 0.5f) { Expert = LoraExpert.HighNoise }, low = new(_second, -0.75f) { Expert = LoraExpert.LowNoise };
        using VideoGenerator plain = await LoadAsync("model"), both = await LoadAsync("model", high, low), everywhere = await LoadAsync("model", high with { Expert = LoraExpert.All });
        byte[] without = await Pixels.OfAsync(plain, Fish), with = await Pixels.OfAsync(both, Fish);

        Copy("model", "merged");
        Merge("merged", "transformer", _first, 0.5);
        Merge("merged", "transformer_2", _second, -0.75);
        using (VideoGenerator merged = await LoadAsync("merged"))
            AssertSame(await Pixels.OfAsync(merged, Fish), with);
        AssertOther(without, with);

        Copy("model", "merged everywhere");
        Merge("merged everywhere", "transformer", _first, 0.5);
        Merge("merged everywhere", "transformer_2", _first, 0.5);
        using (VideoGenerator merged = await LoadAsync("merged everywhere"))
            AssertSame(await Pixels.OfAsync(merged, Fish), await Pixels.OfAsync(everywhere, Fish));
        AssertOther(with, await Pixels.OfAsync(everywhere, Fish));

        await both.SetLorasAsync([]);
        Assert.Equal(without, await Pixels.OfAsync(both, Fish));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task OnQuantisedBlocks(bool streamed)
    {
        TinyModel.Create(_folder.File("model"), Transformer with { NumLayers = 3 });
        Quantize(_folder.File("model", "transformer"));
        await AssertEqualsMergedAsync("Q8_0", streamed);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task OnNumbersOf8Bits(bool streamed)
    {
        TinyModel.Create(_folder.File("model"), Transformer with { NumLayers = 3 });
        Shorten(_folder.File("model", "transformer", Weights));
        await AssertEqualsMergedAsync("F8_E4M3", streamed);
    }

    // The model against one of the same numbers in float32, with and without a LoRA.
    private async Task AssertEqualsMergedAsync(string format, bool streamed)
    {
        Copy("model", "merged");
        foreach (string file in Directory.EnumerateFiles(_folder.File("merged", "transformer"), "diffusion*"))
            File.Delete(file);
        ModelFolder model = ModelFolder.Open(_folder.File("model"));
        using (WeightStore store = model.OpenWeights("transformer"))
        {
            Assert.Equal(format, store.StoredTypeOf("blocks.0.attn1.to_q.weight"));
            SafetensorsWriter.Write(_folder.File("merged", "transformer", Weights), [.. ParameterList.Of(model.Transformer).Select(parameter =>
            {
                using Tensor values = store.Read(parameter.Name, float32, CPU);
                return new SafetensorsContent(parameter.Name, SafetensorsType.F32, parameter.Shape, values.contiguous().bytes.ToArray());
            })]);
        }
        using VideoGenerator generator = await VideoGenerator.LoadAsync(_folder.File("model"),
            new() { Device = "cpu", Precision = Precision.Full, Threads = 1, LayerStreaming = streamed, Loras = [new(_first, 0.5f)] });
        byte[] with = await Pixels.OfAsync(generator, Fish), without;
        using (VideoGenerator plain = await LoadAsync("merged"))
            without = await Pixels.OfAsync(plain, Fish);
        Merge("merged", "transformer", _first, 0.5);
        using (VideoGenerator merged = await LoadAsync("merged"))
            AssertSame(await Pixels.OfAsync(merged, Fish), with);
        AssertOther(without, with);

        await generator.SetLorasAsync([]);
        Assert.Equal(without, await Pixels.OfAsync(generator, Fish));
    }

    private Task<VideoGenerator> LoadAsync(string model, params ReadOnlySpan<LoraFile> loras) => VideoGenerator.LoadAsync(
        _folder.File(model), new() { Device = "cpu", Precision = Precision.Full, Threads = 1, Loras = ValueList.Create(loras) });

    // Sums of products are rounded in another order.
    private static void AssertSame(byte[] expected, byte[] found) =>
        Assert.InRange(expected.Zip(found, (a, b) => Math.Abs(a - b)).Max(), 0, 1);

    private static void AssertOther(byte[] one, byte[] other) =>
        Assert.True(one.Zip(other, (a, b) => Math.Abs(a - b)).Average() > 1, "The LoRA makes no difference.");

    private void Copy(string from, string to)
    {
        foreach (string file in Directory.EnumerateFiles(_folder.File(from), "*", SearchOption.AllDirectories))
        {
            string copy = Path.Combine(_folder.File(to), Path.GetRelativePath(_folder.File(from), file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }
    }

    // weight + scale · up · down, bias + scale · diff_b, gain + scale · diff.
    private void Merge(string model, string part, string lora, double scale)
    {
        using var added = SafetensorsFile.Open(lora);
        float[] Added(string name) => MemoryMarshal.Cast<byte, float>(added.Bytes(added.Entries[name])).ToArray();
        Rewrite(_folder.File(model, part, Weights), (entry, values) =>
        {
            string original = $"diffusion_model.{OriginalNames.Transformer.ToOriginal(entry.Name)}", module = original[..original.LastIndexOf('.')];
            string difference = original.EndsWith(".bias", StringComparison.Ordinal) ? $"{module}.diff_b" : $"{module}.diff";
            if (added.Entries.ContainsKey(difference))
            {
                float[] whole = Added(difference);
                for (int i = 0; i < values.Length; i++)
                    values[i] = (float)(values[i] + (scale * whole[i]));
            }
            if (!original.EndsWith(".weight", StringComparison.Ordinal) || !added.Entries.TryGetValue($"{module}.lora_down.weight", out SafetensorsEntry? pair))
                return new(entry.Name, entry.Type, entry.Shape, Bytes(values));
            (float[] down, float[] up) = (Added(pair.Name), Added($"{module}.lora_up.weight"));
            (int rank, int columns) = ((int)pair.Shape[0], (int)pair.Shape[1]);
            for (int i = 0; i < values.Length; i++)
            {
                double product = Enumerable.Range(0, rank).Sum(r => (double)up[(i / columns * rank) + r] * down[(r * columns) + (i % columns)]);
                values[i] = (float)(values[i] + (scale * product));
            }
            return new(entry.Name, entry.Type, entry.Shape, Bytes(values));
        });
    }

    // The matrices of blocks as Q8_0: the scale takes the largest number of 32 to 127.
    private static void Quantize(string folder)
    {
        string path = Path.Combine(folder, Weights);
        var tensors = new List<GgufContent>();
        using (var source = SafetensorsFile.Open(path))
        {
            foreach (SafetensorsEntry entry in source.Entries.Values)
            {
                float[] values = MemoryMarshal.Cast<byte, float>(source.Bytes(entry)).ToArray();
                bool quantized = entry.Shape.Length == 2 && entry.Shape[1] % 32 == 0 && entry.Name.StartsWith("blocks.", StringComparison.Ordinal);
                byte[] bytes = quantized ? [.. values.Chunk(32).SelectMany(Block)] : Bytes(values);
                tensors.Add(new(OriginalNames.Transformer.ToOriginal(entry.Name)!, quantized ? GgufType.Q8_0 : GgufType.F32, [.. entry.Shape], stream => stream.Write(bytes)));
            }
        }
        File.Delete(path);
        GgufWriter.Write(Path.Combine(folder, "model.gguf"), [new("general.architecture", "wan")], tensors);

        static IEnumerable<byte> Block(float[] values)
        {
            var scale = (Half)(values.Max(Math.Abs) / 127);
            return [.. BitConverter.GetBytes(scale), .. values.Select(value => (byte)(sbyte)Math.Clamp(MathF.Round(value / Math.Max((float)scale, 1e-9f)), -127, 127))];
        }
    }

    // The matrices of blocks in 8 bits, random numbers below 1, with the scale that makes them weights.
    private static void Shorten(string path)
    {
        var random = new Random(7);
        var scales = new List<SafetensorsContent> { new("scaled_fp8", SafetensorsType.F8_E4M3, [0], Array.Empty<byte>()) };
        Rewrite(path, (entry, values) =>
        {
            if (entry.Shape.Length != 2 || !entry.Name.StartsWith("blocks.", StringComparison.Ordinal))
                return new(entry.Name, entry.Type, entry.Shape, Bytes(values));
            scales.Add(new(entry.Name.Replace(".weight", ".scale_weight", StringComparison.Ordinal), SafetensorsType.F32, [], Bytes([0.3f])));
            return new(entry.Name, SafetensorsType.F8_E4M3, entry.Shape, (byte[])[.. values.Select(_ => (byte)(random.Next(0x38) | (random.Next(2) << 7)))]);
        }, scales);
    }

    private static void Rewrite(string path, Func<SafetensorsEntry, float[], SafetensorsContent> change, IReadOnlyList<SafetensorsContent>? more = null)
    {
        SafetensorsContent[] tensors;
        using (var source = SafetensorsFile.Open(path))
            tensors = [.. source.Entries.Values.Select(entry => change(entry, MemoryMarshal.Cast<byte, float>(source.Bytes(entry)).ToArray()))];
        SafetensorsWriter.Write(path, [.. tensors, .. more ?? []]);
    }

    private static byte[] Bytes(float[] values) => MemoryMarshal.AsBytes<float>(values).ToArray();
}
