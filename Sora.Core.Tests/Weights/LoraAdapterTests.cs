using Sora.Tests.Engine;
using Sora.Weights;
using Xunit;

namespace Sora.Tests.Weights;

/// <summary>What a LoRA file adds to weights, and which files are refused.</summary>
[Collection(LiveTensors.Name)]
public sealed class LoraAdapterTests : IDisposable
{
    private const string Module = "diffusion_model.blocks.0.self_attn.q";
    private const string Parameter = "blocks.0.attn1.to_q.weight";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(null, 1, 1)]
    [InlineData(3f, 1, 1.5)]
    [InlineData(3f, -0.5, -0.75)]
    [InlineData(0f, 1, 0)]
    public void AProductHasTheFactorScaleTimesAlphaByRank(float? alpha, double scale, double factor)
    {
        // up·down = [[1, 0], [2, 1]] · [[1, 2, 3], [4, 5, 6]]
        List<SafetensorsContent> tensors =
        [
            TestLora.Tensor($"{Module}.lora_down.weight", [2, 3], 1, 2, 3, 4, 5, 6),
            TestLora.Tensor($"{Module}.lora_up.weight", [2, 2], 1, 0, 2, 1),
        ];
        if (alpha is { } value)
            tensors.Add(TestLora.Tensor($"{Module}.alpha", [], value));
        double[] product = [1, 2, 3, 6, 9, 12];
        Assert.Equal(product.Select(x => (float)(100 + (factor * x))), Applied(scale, [2, 3], tensors));
    }

    [Fact]
    public void ADifferenceHasTheScaleAlone()
    {
        List<SafetensorsContent> tensors =
        [
            TestLora.Tensor($"{Module}.alpha", [1], 8),
            TestLora.Tensor($"{Module}.diff", [2, 1], 1, -2),
        ];
        Assert.Equal([100.5f, 99], Applied(0.5, [2, 1], tensors));
    }

    [Fact]
    public void AProductAndADifferenceOfOneModuleAreBothAdded()
    {
        List<SafetensorsContent> tensors =
        [
            TestLora.Tensor($"{Module}.lora_down.weight", [1, 2], 1, 2),
            TestLora.Tensor($"{Module}.lora_up.weight", [1, 1], 4),
            TestLora.Tensor($"{Module}.diff", [1, 2], 32, 64),
        ];
        Assert.Equal([136, 172], Applied(1, [1, 2], tensors));
    }

    [Fact]
    public void APairOfConvolutionsIsAConvolution()
    {
        string path = TestLora.Write(_folder.File("conv.safetensors"),
            TestLora.Tensor("diffusion_model.patch_embedding.lora_down.weight", [1, 1, 1, 2, 2], 1, 2, 3, 4),
            TestLora.Tensor("diffusion_model.patch_embedding.lora_up.weight", [2, 1, 1, 1, 1], 1, 10));
        using DisposeScope scope = NewDisposeScope();
        using LoraAdapter adapter = LoraAdapter.Load(path);
        Tensor sum = adapter.Apply("patch_embedding.weight", zeros([2, 1, 1, 2, 2]), 1);
        Assert.Equal([2, 1, 1, 2, 2], sum.shape);
        Assert.Equal([1, 2, 3, 4, 10, 20, 30, 40], sum.data<float>().ToArray());
    }

    [Theory]
    [InlineData("""{"transformer.r": 2, "transformer.lora_alpha": 8}""", 4)]
    [InlineData("""{"transformer.lora_alpha": 8, "transformer.alpha_pattern": {"to_q": 2}}""", 1)]
    [InlineData("""{"transformer.lora_alpha": 8, "transformer.alpha_pattern": {"blocks.0.attn1.to_q": 6, "to_k": 2}}""", 3)]
    [InlineData("""{"transformer.lora_alpha": 8, "transformer.use_rslora": true}""", 5.656854249)]
    [InlineData("""{"text_encoder.lora_alpha": 8}""", 1)]
    [InlineData("{}", 1)]
    public void PeftsMetadataGivesTheAlpha(string metadata, double factor)
    {
        string path = _folder.File("peft.safetensors");
        SafetensorsWriter.Write(path, Pair("transformer.blocks.0.attn1.to_q"), new Dictionary<string, string> { ["lora_adapter_metadata"] = metadata });
        using LoraAdapter adapter = LoraAdapter.Load(path);
        using Tensor zero = zeros([1, 1]), sum = adapter.Apply(Parameter, zero, 1);
        Assert.Equal((float)(2 * factor), sum.item<float>(), 1e-5f);
    }

    [Fact]
    public void PeftsOwnFileHasTheAlphaBesideIt()
    {
        string path = TestLora.Write(_folder.File("adapter_model.safetensors"), Pair("base_model.model.blocks.0.attn1.to_q"));
        _folder.Write("adapter_config.json", """{"r": 2, "lora_alpha": 6, "use_dora": false}""");
        using LoraAdapter adapter = LoraAdapter.Load(path);
        using Tensor zero = zeros([1, 1]), sum = adapter.Apply(Parameter, zero, 1);
        Assert.Equal(6, sum.item<float>());
    }

    [Fact]
    public void TheDescriptionCountsWhatTheFileHolds()
    {
        string path = TestLora.Write(_folder.File("lora.safetensors"),
        [
            TestLora.Random("lora_unet_blocks_0_ffn_0.lora_down.weight", 4, 8), TestLora.Random("lora_unet_blocks_0_ffn_0.lora_up.weight", 16, 4),
            TestLora.Random("lora_unet_blocks_1_ffn_0.lora_down.weight", 2, 8), TestLora.Random("lora_unet_blocks_1_ffn_0.lora_up.weight", 16, 2),
            TestLora.Random("lora_unet_blocks_1_ffn_0.diff_b", 16),
        ]);
        using LoraAdapter adapter = LoraAdapter.Load(path);
        Assert.Equal(new LoraDescription(LoraSpelling.Kohya, 3, 2, 1, 2, 4, 4 * (32 + 64 + 16 + 32 + 16)), adapter.Describe());
        Assert.Equal(["blocks.0.ffn.net.0.proj.weight", "blocks.1.ffn.net.0.proj.bias", "blocks.1.ffn.net.0.proj.weight"], adapter.Parameters.Order(StringComparer.Ordinal));
        Assert.StartsWith("LoRA in the spelling Kohya: 3 parameters, 2 pairs of ranks 2 to 4, 1 full differences", adapter.Describe().ToString(), StringComparison.Ordinal);
    }

    public static TheoryData<string, SafetensorsContent[]> Refused => new()
    {
        { "holds no tensors", [] },
        { "2 of 2 tensors are no part of a Wan LoRA in a known spelling: 'a.weight', 'b'. Known:", [TestLora.Random("a.weight", 2), TestLora.Random("b", 2)] },
        { $"1 of 2 tensors are no part of a Wan LoRA in a known spelling: '{Module}.dora_scale'.", [TestLora.Random($"{Module}.diff_b", 2), TestLora.Random($"{Module}.dora_scale", 2)] },
        { $"'{Module}.lora_up.weight' has no partner; blocks.0.attn1.to_q lacks its down matrix", [TestLora.Random($"{Module}.lora_up.weight", 2, 2)] },
        { $"'{Module}.lora_A.weight' has no partner; blocks.0.attn1.to_q lacks its up matrix", [TestLora.Random($"{Module}.lora_A.weight", 2, 2)] },
        { $"'{Module}.lora_B.weight' [4, 3] and '{Module}.lora_A.weight' [2, 4] are no pair", [TestLora.Random($"{Module}.lora_A.weight", 2, 4), TestLora.Random($"{Module}.lora_B.weight", 4, 3)] },
        { $"'{Module}.lora_B.weight' [4] and '{Module}.lora_A.weight' [2, 4] are no pair", [TestLora.Random($"{Module}.lora_A.weight", 2, 4), TestLora.Random($"{Module}.lora_B.weight", 4)] },
        { $"'{Module}.lora_B.weight' [4, 0] and '{Module}.lora_A.weight' [0, 4] are no pair", [TestLora.Random($"{Module}.lora_A.weight", 0, 4), TestLora.Random($"{Module}.lora_B.weight", 4, 0)] },
        { $"'{Module}.alpha' stands without the matrices", [TestLora.Random($"{Module}.alpha")] },
        { $"'{Module}.lora_B.bias' stands without the matrices", [TestLora.Random($"{Module}.lora_B.bias", 2)] },
        { $"'{Module}.alpha' has shape [2]; needed: one number", [.. Pair(Module), TestLora.Random($"{Module}.alpha", 2)] },
        { "are the same part of blocks.0.attn1.to_q", [TestLora.Random($"{Module}.diff", 2), TestLora.Random("transformer.blocks.0.attn1.to_q.diff", 2)] },
        { $"tensor '{Module}.diff' holds NaN or infinity", [TestLora.Tensor($"{Module}.diff", [3], 1, float.NaN, 1)] },
        { $"tensor '{Module}.alpha' holds NaN or infinity", [.. Pair(Module), TestLora.Tensor($"{Module}.alpha", [], float.NegativeInfinity)] },
        { $"tensor '{Module}.diff' is stored as I64", [new($"{Module}.diff", SafetensorsType.I64, [1], new byte[8])] },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public void ADamagedOrForeignFileIsRefusedByName(string part, SafetensorsContent[] tensors)
    {
        string path = TestLora.Write(_folder.File("bad.safetensors"), tensors);
        string message = Assert.Throws<SoraException>(() => LoraAdapter.Load(path)).Message;
        Assert.StartsWith(path, message, StringComparison.Ordinal);
        Assert.Contains(part, message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"transformer.use_dora": true}""", "use_dora is true; allowed: false")]
    [InlineData("""{"transformer.lora_alpha": "8"}""", "lora_alpha is \"8\"; allowed: a finite number")]
    [InlineData("""{"transformer.alpha_pattern": 3}""", "alpha_pattern is 3; allowed: an object of numbers")]
    [InlineData("nonsense", "not valid JSON")]
    public void DamagedMetadataAreRefused(string metadata, string part)
    {
        string path = _folder.File("peft.safetensors");
        SafetensorsWriter.Write(path, Pair(Module), new Dictionary<string, string> { ["lora_adapter_metadata"] = metadata });
        string message = Assert.Throws<SoraException>(() => LoraAdapter.Load(path)).Message;
        Assert.StartsWith($"{path}: lora_adapter_metadata: ", message, StringComparison.Ordinal);
        Assert.Contains(part, message, StringComparison.Ordinal);
    }

    [Fact]
    public void AFileCutShortIsRefusedAtEveryByte()
    {
        byte[] whole = File.ReadAllBytes(TestLora.Write(_folder.File("lora.safetensors"), Pair(Module)));
        for (int length = 0; length < whole.Length; length++)
        {
            string path = _folder.Write("cut.safetensors", whole[..length]);
            Assert.Contains(path, Assert.Throws<SoraException>(() => LoraAdapter.Load(path)).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void DamagedFilesAreReadOrRefused()
    {
        byte[] whole = File.ReadAllBytes(TestLora.Write(_folder.File("lora.safetensors"),
            [.. Pair(Module), TestLora.Tensor($"{Module}.alpha", [1], 2), TestLora.Random($"{Module}.diff_b", 3)]));
        var random = new Random(20260802);
        int refused = 0;
        for (int i = 0; i < 500; i++)
        {
            byte[] damaged = [.. whole];
            for (int times = random.Next(1, 4); times > 0; times--)
                damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
            try
            {
                using LoraAdapter adapter = LoraAdapter.Load(_folder.Write("damaged.safetensors", damaged));
                Assert.InRange(adapter.Describe().Bytes, 0, whole.Length);
            }
            catch (SoraException error)
            {
                Assert.NotEmpty(error.Message);
                refused++;
            }
        }
        Assert.InRange(refused, 100, 499);
    }

    // Both matrices all ones, rank 2: the product is 2.
    private static SafetensorsContent[] Pair(string module) =>
        [TestLora.Tensor($"{module}.lora_A.weight", [2, 1], 1, 1), TestLora.Tensor($"{module}.lora_B.weight", [1, 2], 1, 1)];

    // What a weight of 100 everywhere becomes.
    private float[] Applied(double scale, long[] shape, IEnumerable<SafetensorsContent> tensors)
    {
        using DisposeScope scope = NewDisposeScope();
        using LoraAdapter adapter = LoraAdapter.Load(TestLora.Write(_folder.File("lora.safetensors"), tensors));
        return adapter.Apply(Parameter, full(shape, 100, float32), scale).data<float>().ToArray();
    }
}
