using System.Runtime.InteropServices;
using System.Text;
using Sora.Weights;
using Xunit;

namespace Sora.Tests.Weights;

public sealed class Float8StoreTests : IDisposable
{
    private const byte One = 0x38, Two = 0x40; // In E4M3.

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void AScaleForEachRowIsUsed()
    {
        using SafetensorsStore store = Open(Weight(), Floats("m.weight_scale", [2, 1], 3, 0.5f));
        Assert.Equal(["m.weight"], store.Names);
        Assert.Equal([3f, 6, 3, 0.5f, 0.5f, 1], Read(store, float32));
        Assert.Equal([3f, 6, 3, 0.5f, 0.5f, 1], Read(store, bfloat16));
        Assert.Equal([3f, 6, 3, 0.5f, 0.5f, 1], Read(store, float16));
    }

    [Fact]
    public void AScaleBesideAWeightOf16BitsIsUsedToo()
    {
        var weight = new SafetensorsContent("m.weight", SafetensorsType.F16, [2, 1], MemoryMarshal.AsBytes<Half>([(Half)1, (Half)2]).ToArray());
        using SafetensorsStore store = Open(weight, Floats("m.scale_weight", [], 3));
        Assert.Equal([3f, 6], Read(store, float32));
    }

    [Fact]
    public void WhatIsNoWeightIsNoTensorOfTheStore()
    {
        using SafetensorsStore store = Open(Weight(), Floats("m.scale_weight", [1], 2), Floats("m.scale_input", [1], 9),
            new("scaled_fp8", SafetensorsType.F8_E4M3, [0], Array.Empty<byte>()), Floats("n.scale_weight", [1], 2));
        Assert.Equal(["m.weight", "n.scale_weight"], store.Names.Order(StringComparer.Ordinal));
        Assert.False(store.Contains("m.scale_weight"));
        Assert.Equal([2f, 4, 2, 2, 2, 4], Read(store, float32));
        Assert.Equal("F8_E4M3", store.StoredTypeOf("m.weight"));
        Assert.Equal(["n.scale_weight"], store.UnusedNames);
    }

    [Fact]
    public void QuantisationsAreChecked()
    {
        Open(Weight(), Quantisation("""{"format": "float8_e5m2", "more": 1}""")).Dispose();
        AssertRefused("m.weight is quantised as 'nvfp4'; known: float8_e4m3fn, float8_e5m2", Weight(), Quantisation("""{"format":"nvfp4"}"""));
        foreach (string text in (string[])["", "{", "[]", "{}", """{"format":1}""", "\"float8_e4m3fn\""])
            AssertRefused("m.comfy_quant is not a JSON object with a text \"format\"", Weight(), Quantisation(text));
        AssertRefused("m.comfy_quant is F32 [1]; a quantisation is a text", Weight(), Floats("m.comfy_quant", [1], 1));
    }

    [Fact]
    public void ScalesThatDoNotFitAreRefused()
    {
        AssertRefused("m.weight has two scales", Weight(), Floats("m.scale_weight", [1], 1), Floats("m.weight_scale", [1], 1));
        AssertUnreadable("m.scale_weight has shape [3]; allowed beside m.weight [2, 3]: one number, or one for each of its 2 rows",
            Floats("m.scale_weight", [3], 1, 2, 3));
        AssertUnreadable("m.scale_weight is stored as U8", new SafetensorsContent("m.scale_weight", SafetensorsType.U8, [1], new byte[1]));
    }

    [Fact]
    public void TensorsOfWholeNumbersAreNoWeights()
    {
        using SafetensorsStore store = Open(TestWeights.Tensor("m.weight", SafetensorsType.I64, 2));
        Assert.Contains("m.weight is stored as I64; F64, F32, F16, BF16, F8_E4M3 and F8_E5M2 can be read",
            Assert.Throws<SoraException>(() => Read(store, float32)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void RoundingToBFloat16IsTheEngines()
    {
        float[] values = [1, -0f, 1.00390625f, 1.01171875f, 3.4028235e38f, float.Epsilon, float.NegativeInfinity, 0.1f, -65504.7f];
        using DisposeScope scope = NewDisposeScope();
        float[] rounded = tensor(values).to(bfloat16).to(float32).data<float>().ToArray();
        Assert.Equal(rounded, values.Select(value => BitConverter.UInt32BitsToSingle((uint)BFloat16Bits.Round(value) << 16)));
        Assert.True(float.IsNaN(BitConverter.UInt32BitsToSingle((uint)BFloat16Bits.Round(BitConverter.UInt32BitsToSingle(0x7FFFFFFF)) << 16)));
    }

    private static SafetensorsContent Weight() => new("m.weight", SafetensorsType.F8_E4M3, [2, 3], new byte[] { One, Two, One, One, One, Two });

    private static SafetensorsContent Floats(string name, long[] shape, params float[] values) =>
        new(name, SafetensorsType.F32, shape, MemoryMarshal.AsBytes<float>(values).ToArray());

    private static SafetensorsContent Quantisation(string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        return new("m.comfy_quant", SafetensorsType.U8, [bytes.Length], bytes);
    }

    private static float[] Read(SafetensorsStore store, ScalarType type)
    {
        using DisposeScope scope = NewDisposeScope();
        return store.Read("m.weight", type, CPU).to(float32).data<float>().ToArray();
    }

    private SafetensorsStore Open(params SafetensorsContent[] tensors)
    {
        SafetensorsWriter.Write(folder.File("m.safetensors"), tensors);
        return SafetensorsStore.Open(folder.File("m.safetensors"));
    }

    private void AssertRefused(string message, params SafetensorsContent[] tensors) =>
        Assert.Contains(message, Assert.Throws<SoraException>(() => Open(tensors).Dispose()).Message, StringComparison.Ordinal);

    private void AssertUnreadable(string message, SafetensorsContent scale)
    {
        using SafetensorsStore store = Open(Weight(), scale);
        Assert.Contains(message, Assert.Throws<SoraException>(() => Read(store, float32)).Message, StringComparison.Ordinal);
    }
}
