using Sora.Weights;
using Xunit;

namespace Sora.Tests.Weights;

public sealed class GgufFileTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void TensorsAreDescribedInTorchsOrder()
    {
        using GgufStore store = GgufStore.Open(Write(TestGguf.Small()));

        Assert.Equal("wan", store.Architecture);
        Assert.Equal(["blocks.0.q.weight", "blocks.0.k.weight", "blocks.0.ffn.weight", "blocks.0.norm.weight", "patch.weight"], store.Names);
        Assert.Equal([2, 32], store.ShapeOf("blocks.0.q.weight"));
        Assert.Equal([2, 1, 1, 1, 2], store.ShapeOf("patch.weight"));
        Assert.Equal("Q4_K", store.StoredTypeOf("blocks.0.ffn.weight"));
        store.Read("patch.weight", float32, CPU).Dispose();
        Assert.DoesNotContain("patch.weight", store.UnusedNames);
        Assert.Contains("nearest: 'blocks.0.q.weight'",
            Assert.Throws<SoraException>(() => store.Read("blocks.0.w.weight", float32, CPU)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AnAlignmentThatTheFileGivesIsUsed()
    {
        TestGguf odd = new TestGguf { Alignment = 1 }.Value("general.alignment", 4, writer => writer.Write(1u))
            .Tensor("odd", GgufType.F16, 1).Tensor("a", GgufType.F32, 2);
        using GgufStore store = GgufStore.Open(Write(odd));
        using Tensor read = store.Read("a", float32, CPU);
        Assert.Equal(TestWeights.Data("a", 8), read.bytes.ToArray());
    }

    [Fact]
    public void AFileCutAnywhereIsRefused()
    {
        byte[] whole = TestGguf.Small().ToBytes();
        GgufFile.Open(folder.Write("whole.gguf", whole)).Dispose();
        for (int length = 0; length < whole.Length; length++)
            Assert.Throws<SoraException>(() => GgufFile.Open(folder.Write("cut.gguf", whole[..length])));
    }

    [Fact]
    public void AnUnknownQuantisationIsNamed()
    {
        AssertRefused(new TestGguf().Tensor("q", 16, [256], 0, new byte[66]), "tensor 'q' is quantised with type 16; known: F32 (0), F16 (1), Q4_0 (2)");
        AssertRefused(new TestGguf().Tensor("q", uint.MaxValue, [256], 0, new byte[66]), "type 4294967295; known: ");
    }

    [Fact]
    public void CountsThatTheFileHasNoRoomForAreRefused()
    {
        AssertRefused(new TestGguf { TensorCount = ulong.MaxValue }, "claims 18446744073709551615 tensors");
        AssertRefused(new TestGguf { MetadataCount = 1UL << 40 }, "claims 1099511627776 metadata values");
        AssertRefused(new TestGguf { MetadataCount = 2 }.Text("a", "b"), "the key of a metadata value is empty");
        AssertRefused(new TestGguf { TensorCount = 2 }.Tensor("long name", GgufType.F32, 16), "the name of a tensor is empty");
        AssertRefused(new TestGguf().Value("a", 9, writer => { writer.Write(4u); writer.Write(1UL << 62); }), "claims 4611686018427387904 elements in metadata 'a'");
        AssertRefused(new TestGguf().Value("a", 8, writer => writer.Write(ulong.MaxValue)), "takes 18446744073709551615 bytes");
    }

    [Fact]
    public void MetadataThatBreakTheFormatAreRefused()
    {
        AssertRefused(new TestGguf().Value("a", 13, _ => { }), "value of type 13");
        AssertRefused(new TestGguf().Value("a", 9, writer => { writer.Write(13u); writer.Write(0UL); }), "array of type 13");
        AssertRefused(new TestGguf().Text("a", "b").Text("a", "c"), "'a' is given twice");
        AssertRefused(new TestGguf().Text("general.alignment", "32"), "general.alignment is 32");
        AssertRefused(new TestGguf().Value("general.alignment", 4, writer => writer.Write(24u)), "general.alignment is 24; allowed: powers of 2");
        AssertRefused(new TestGguf().Value("split.count", 2, writer => writer.Write((ushort)3)), "one of 3 parts");
        AssertRefused(new TestGguf().Value("deep", 9, writer =>
        {
            for (int i = 0; i < 20; i++)
            {
                writer.Write(9u);
                writer.Write(1UL);
            }
        }), "more than 8 deep");
    }

    [Fact]
    public void HeadersThatLieAboutTensorsAreRefused()
    {
        byte[] data = new byte[64];
        AssertRefused(new TestGguf().Tensor("t", 0, [16], 32, data), "64 bytes at 32 of the data reach beyond the file, which holds 64");
        AssertRefused(new TestGguf().Tensor("t", 0, [16], ulong.MaxValue - 31, data), "reach beyond the file");
        AssertRefused(new TestGguf().Tensor("t", 0, [16], 16, data), "data start at 16, which is no multiple of 32");
        AssertRefused(new TestGguf().Tensor("t", 0, [16], 0, data).Tensor("u", 0, [16], 32, data), "'u': its data overlap those of tensor 't' by 32 bytes");
        AssertRefused(new TestGguf().Tensor("t", 0, [8], 0, data).Tensor("t", 0, [8], 32, data), "'t' is listed twice");
        AssertRefused(new TestGguf().Tensor("t", 0, [1UL << 32, 1UL << 32], 0, data), "takes more bytes than the file has");
        AssertRefused(new TestGguf().Tensor("t", 0, [1UL << 63], 0, data), "a size of 9223372036854775808");
        AssertRefused(new TestGguf().Tensor("t", 0, [0, 4], 0, data), "a size of 0");
        AssertRefused(new TestGguf().Tensor("t", 0, new ulong[9], 0, data), "9 dimensions; allowed: 8");
        AssertRefused(new TestGguf().Tensor("t", 8, [48], 0, data), "rows of 48 numbers; Q8_0 takes multiples of 32");
    }

    [Fact]
    public void FilesOfAnotherKindAreRefused()
    {
        AssertRefused(new TestGguf { Version = 1 }, "version 1; 2 and 3 can be read");
        AssertRefused(new TestGguf { Version = 0x03000000 }, "big-endian");
        AssertRefused([.. "GGML"u8, .. new byte[60]], "does not begin with GGUF");
        AssertRefused([1, 2, 3], "3 bytes are too short for a GGUF file");
        Assert.Contains("cannot be read", Assert.Throws<SoraException>(() => GgufFile.Open(folder.File("none"))).Message, StringComparison.Ordinal);
    }

    private string Write(TestGguf file) => folder.Write("file.gguf", file.ToBytes());

    private void AssertRefused(TestGguf file, string message) => AssertRefused(file.ToBytes(), message);

    private void AssertRefused(byte[] file, string message) =>
        Assert.Contains(message, Assert.Throws<SoraException>(() => GgufFile.Open(folder.Write("lies.gguf", file))).Message, StringComparison.Ordinal);
}
