using Sora.Tests.Engine;
using Sora.Weights;
using Xunit;

namespace Sora.Tests.Weights;

/// <summary>Weights read through LoRAs.</summary>
[Collection(LiveTensors.Name)]
public sealed class LoraStoreTests : IDisposable
{
    private const string Query = "blocks.0.attn1.to_q.weight";
    private const string Key = "blocks.0.attn1.to_k.weight";

    private readonly TemporaryFolder _folder = new();
    private readonly string _weights;

    public LoraStoreTests()
    {
        _weights = _folder.File("model.safetensors");
        TestLora.Write(_weights, TestLora.Random(Query, 6, 5), TestLora.Random(Key, 6, 5), TestLora.Random("proj_out.bias", 4));
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void SeveralAreAddedEachWithItsScale()
    {
        using DisposeScope scope = NewDisposeScope();
        using LoraAdapter first = Load("first", "blocks.0.self_attn.q"), second = Load("second", "blocks.0.self_attn.q");
        using LoraStore store = Over((first, 0.5), (second, -2));
        Tensor expected = Original(Query, float32) + (Product("first", "blocks.0.self_attn.q") * 0.5) + (Product("second", "blocks.0.self_attn.q") * -2);
        Assert.InRange((store.Read(Query, float32, CPU) - expected).abs().max().item<float>(), 0, 2e-6f);
        Assert.Equal(Bytes(Original(Key, float32)), Bytes(store.Read(Key, float32, CPU)));
    }

    [Fact]
    public void TheSumIsRoundedOnce()
    {
        using DisposeScope scope = NewDisposeScope();
        // In bfloat16 a weight of 1 has steps of 1/128: each difference alone is rounded away, both together are not.
        TestLora.Write(_weights, TestLora.Tensor(Query, [1, 1], 1));
        using LoraAdapter half = LoraAdapter.Load(TestLora.Write(_folder.File("half.safetensors"), TestLora.Tensor("blocks.0.self_attn.q.diff", [1, 1], 0.003f)));
        using LoraStore once = Over((half, 1)), twice = Over((half, 1), (half, 1));
        Assert.Equal(1, once.Read(Query, bfloat16, CPU).to(float32).item<float>());
        Assert.Equal(1.0078125f, twice.Read(Query, bfloat16, CPU).to(float32).item<float>());
    }

    [Fact]
    public void ScaleZeroAndRemovalGiveTheOriginalBits()
    {
        using DisposeScope scope = NewDisposeScope();
        using LoraAdapter adapter = Load("lora", "blocks.0.self_attn.q");
        foreach (ScalarType type in (ScalarType[])[float32, bfloat16])
        {
            byte[] original = Bytes(Original(Query, type));
            using LoraStore applied = Over((adapter, 1)), zero = Over((adapter, 0));
            Assert.NotEqual(original, Bytes(applied.Read(Query, type, CPU)));
            Assert.Equal(original, Bytes(zero.Read(Query, type, CPU)));
            Assert.Equal(original, Bytes(Original(Query, type)));
        }
    }

    [Fact]
    public void ReadingLeavesNoTensorBehind()
    {
        using LoraAdapter adapter = Load("lora", "blocks.0.self_attn.q");
        using LoraStore store = Over((adapter, 1));
        long before = Tensor.TotalCount;
        store.Read(Query, bfloat16, CPU).Dispose();
        Assert.Equal(before, Tensor.TotalCount);
    }

    [Fact]
    public void ALoraForAnotherModelNamesTheFirstMismatches()
    {
        using LoraAdapter adapter = LoraAdapter.Load(TestLora.Write(_folder.File("other.safetensors"),
            TestLora.Random("diffusion_model.blocks.0.self_attn.k.diff_b", 7),
            TestLora.Random("diffusion_model.blocks.0.self_attn.q.lora_A.weight", 2, 9), TestLora.Random("diffusion_model.blocks.0.self_attn.q.lora_B.weight", 8, 2)));
        string message = Assert.Throws<SoraException>(() => Over((adapter, 1))).Message;
        Assert.StartsWith($"{adapter.Path} was made for another model; 2 of 2 parameters do not fit: ", message, StringComparison.Ordinal);
        Assert.Contains($"{Query} is [6, 5], 'diffusion_model.blocks.0.self_attn.q.lora_B.weight' with 'diffusion_model.blocks.0.self_attn.q.lora_A.weight' changes [8, 9]", message, StringComparison.Ordinal);
        Assert.Contains("blocks.0.attn1.to_k.bias is not there, 'diffusion_model.blocks.0.self_attn.k.diff_b' changes [7]", message, StringComparison.Ordinal);
    }

    [Fact]
    public void AnImageModelsLoraLeavesOutWhatATextModelLacks()
    {
        SafetensorsContent[] image =
        [
            TestLora.Random("diffusion_model.blocks.0.cross_attn.k_img.diff_b", 6), TestLora.Random("diffusion_model.img_emb.proj.0.diff", 6),
        ];
        using LoraAdapter both = LoraAdapter.Load(TestLora.Write(_folder.File("both.safetensors"), [.. image, TestLora.Random("diffusion_model.blocks.0.self_attn.q.diff", 6, 5)]));
        using (LoraStore store = Over((both, 1)))
            Assert.Contains("2 of 3 parameters are left out", Assert.Single(store.Notes), StringComparison.Ordinal);

        using LoraAdapter imageAlone = LoraAdapter.Load(TestLora.Write(_folder.File("image.safetensors"), image));
        Assert.Contains("image cross-attention alone", Assert.Throws<SoraException>(() => Over((imageAlone, 1))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AnExpertIsChosenByTheFile()
    {
        using DisposeScope scope = NewDisposeScope();
        Load("lora", "blocks.0.self_attn.q").Dispose();
        using LoraSet set = LoraSet.Open([new LoraFile(_folder.File("lora.safetensors")) { Expert = LoraExpert.LowNoise }]);
        byte[] original = Bytes(Original(Query, float32));
        using WeightStore high = set.Over(SafetensorsStore.Open(_weights), LoraExpert.HighNoise), low = set.Over(SafetensorsStore.Open(_weights), LoraExpert.LowNoise);
        Assert.Equal(original, Bytes(high.Read(Query, float32, CPU)));
        Assert.NotEqual(original, Bytes(low.Read(Query, float32, CPU)));
        Assert.Contains("is for the LowNoise expert, and the model has one transformer",
            Assert.Throws<SoraException>(() => set.Over(SafetensorsStore.Open(_weights), LoraExpert.All)).Message, StringComparison.Ordinal);
    }

    private LoraStore Over(params (LoraAdapter, double)[] loras) => new(SafetensorsStore.Open(_weights), loras);

    private LoraAdapter Load(string name, string module) => LoraAdapter.Load(TestLora.Write(_folder.File($"{name}.safetensors"),
        TestLora.Random($"{module}.lora_A.weight", 2, 5), TestLora.Random($"{module}.lora_B.weight", 6, 2), TestLora.Tensor($"{module}.alpha", [], name.Length)));

    // What Load's file adds at scale 1, computed from the file alone.
    private Tensor Product(string name, string module)
    {
        using SafetensorsStore file = SafetensorsStore.Open(_folder.File($"{name}.safetensors"));
        return matmul(file.Read($"{module}.lora_B.weight", float32, CPU), file.Read($"{module}.lora_A.weight", float32, CPU)) * (name.Length / 2.0);
    }

    private Tensor Original(string name, ScalarType type)
    {
        using SafetensorsStore store = SafetensorsStore.Open(_weights);
        return store.Read(name, type, CPU).clone();
    }

    private static byte[] Bytes(Tensor tensor) => tensor.contiguous().bytes.ToArray();
}
