using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Sora.Weights;
using Xunit;

namespace Sora.Tests.Weights;

public sealed class SafetensorsFileTests : IDisposable
{
    private const string Tensor = """{"dtype":"F32","shape":[2],"data_offsets":[0,8]}""";

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void EveryTypeComesBackAsItWasWritten()
    {
        SafetensorsContent[] tensors =
        [
            .. Enum.GetValues<SafetensorsType>().Select(type => TestWeights.Tensor($"of.{type}", type, 3, 5)),
            TestWeights.Tensor("scalar", SafetensorsType.F32),
            TestWeights.Tensor("empty", SafetensorsType.I64, 4, 0, 2),
        ];
        string path = folder.File("all.safetensors");
        SafetensorsWriter.Write(path, tensors, new Dictionary<string, string> { ["note"] = "Grüße \"quoted\"" });

        using SafetensorsFile file = SafetensorsFile.Open(path);

        Assert.Equal(tensors.Select(tensor => tensor.Name).Order(), file.Entries.Keys.Order());
        Assert.Equal("Grüße \"quoted\"", Assert.Single(file.Metadata, pair => pair.Key == "note").Value);
        foreach (SafetensorsContent tensor in tensors)
        {
            SafetensorsEntry entry = file.Entries[tensor.Name];
            Assert.Equal(tensor.Type, entry.Type);
            Assert.Equal(tensor.Shape, entry.Shape);
            Assert.Equal(tensor.Shape.Aggregate(1L, (product, size) => product * size), entry.ElementCount);
            Assert.Equal(TestWeights.Data(tensor.Name, tensor.ByteLength), file.Bytes(entry).ToArray());
            Assert.True(entry.IsAligned);
        }
    }

    [Fact]
    public void PointerAndPartsReadTheSameBytes()
    {
        string path = folder.File("parts.safetensors");
        SafetensorsWriter.Write(path, [TestWeights.Tensor("a", SafetensorsType.U8, 40), TestWeights.Tensor("bb", SafetensorsType.F64, 2)]);
        using SafetensorsFile file = SafetensorsFile.Open(path);
        SafetensorsEntry entry = file.Entries["a"];

        byte[] copied = new byte[entry.ByteLength];
        Marshal.Copy(file.Pointer(entry), copied, 0, copied.Length);

        Assert.Equal(TestWeights.Data("a", 40), copied);
        Assert.Equal(copied[10..30], file.Bytes(entry, 10, 20).ToArray());
        Assert.Throws<ArgumentOutOfRangeException>(() => file.Bytes(entry, 30, 11).Length);
    }

    [Fact]
    public void AnEntryOfAnotherFileAndADisposedFileAreRefused()
    {
        string path = folder.File("one.safetensors");
        SafetensorsWriter.Write(path, [TestWeights.Tensor("a", SafetensorsType.U8, 4)]);
        SafetensorsFile one = SafetensorsFile.Open(path);
        using SafetensorsFile two = SafetensorsFile.Open(path);
        SafetensorsEntry entry = one.Entries["a"];

        Assert.Throws<ArgumentException>(() => two.Pointer(entry));
        one.Dispose();
        one.Dispose();
        Assert.Throws<ObjectDisposedException>(() => one.Pointer(entry));
    }

    [Fact]
    public void OddOffsetsAndSpacesAfterTheHeaderAreAllowed()
    {
        string header = """{"b":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},"a":{"dtype":"F32","shape":[2],"data_offsets":[3,11]}}""";
        string path = folder.Write("odd.safetensors", TestWeights.File(header + "   ", 11));

        using SafetensorsFile file = SafetensorsFile.Open(path);

        Assert.False(file.Entries["a"].IsAligned);
        Assert.Equal(8, file.Bytes(file.Entries["a"]).Length);
        Assert.Equal(["b", "a"], file.Entries.Keys);
    }

    [Theory]
    [InlineData("""[1]""", 0, "does not start with '{'")]
    [InlineData("""{"a":""", 0, "not valid JSON")]
    [InlineData("""{} {}""", 0, "not valid JSON")]
    [InlineData("""{"a":5}""", 0, "tensor 'a': its description is not an object")]
    [InlineData("{\"a\":" + Tensor + ",\"a\":" + Tensor + "}", 8, "tensor 'a': it is listed twice")]
    [InlineData("""{"a":{"shape":[2],"data_offsets":[0,8]}}""", 8, "tensor 'a': dtype is missing")]
    [InlineData("""{"a":{"dtype":"F32","data_offsets":[0,8]}}""", 8, "tensor 'a': shape is missing")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2]}}""", 8, "tensor 'a': data_offsets is missing")]
    [InlineData("""{"a":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 8, "dtype is given twice")]
    [InlineData("""{"a":{"dtype":"Q4_0","shape":[2],"data_offsets":[0,8]}}""", 8, "dtype 'Q4_0' is unknown; known: F64")]
    [InlineData("""{"a":{"dtype":7,"shape":[2],"data_offsets":[0,8]}}""", 8, "dtype is not text")]
    [InlineData("""{"a":{"dtype":"F32","shape":2,"data_offsets":[0,8]}}""", 8, "shape is not a list")]
    [InlineData("""{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}""", 8, "shape holds '-2'")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2.5],"data_offsets":[0,8]}}""", 8, "shape holds '2.5'")]
    [InlineData("""{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,8]}}""", 8, "overflows")]
    [InlineData("""{"a":{"dtype":"F32","shape":[9223372036854775807],"data_offsets":[0,8]}}""", 8, "overflows")]
    [InlineData("""{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}""", 8, "shape [3] of F32 takes 12 bytes, data_offsets [0, 8] hold 8")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0]}}""", 8, "data_offsets has 1 numbers")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}""", 8, "end before they begin")]
    [InlineData("{\"a\":" + Tensor + "}", 7, "reach beyond the file, which holds 7 bytes")]
    [InlineData("{\"a\":" + Tensor + "}", 9, "1 bytes at the end belong to no tensor")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[1,9]}}""", 9, "tensor 'a': 1 bytes before its data")]
    [InlineData("{\"a\":" + Tensor + ",\"b\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[6,10]}}", 10, "tensor 'b': its data overlap those of tensor 'a' by 2")]
    [InlineData("""{"__metadata__":5}""", 0, "__metadata__ is not an object")]
    [InlineData("""{"__metadata__":{"a":1}}""", 0, "__metadata__ 'a' is not text")]
    [InlineData("""{"__metadata__":{"a":"1","a":"2"}}""", 0, "holds 'a' twice")]
    [InlineData("""{"\ud800":5}""", 0, "not valid Unicode")]
    public void ABrokenHeaderIsNamed(string header, int dataLength, string message)
    {
        string path = folder.Write("broken.safetensors", TestWeights.File(header, dataLength));

        SoraException error = Assert.Throws<SoraException>(() => SafetensorsFile.Open(path));

        Assert.StartsWith(path, error.Message, StringComparison.Ordinal);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void LengthsThatLieAreNamed()
    {
        byte[] file = TestWeights.File("{}", 0);
        AssertRefused(file[..7], "7 bytes are too short");
        AssertRefused([], "0 bytes are too short");
        BinaryPrimitives.WriteUInt64LittleEndian(file, 3);
        AssertRefused(file, "the header claims 3 bytes, the file has 2");
        BinaryPrimitives.WriteUInt64LittleEndian(file, 100_000_001);
        AssertRefused(file, "allowed: 100000000");
        BinaryPrimitives.WriteUInt64LittleEndian(file, ulong.MaxValue);
        AssertRefused(file, "allowed: 100000000");
        BinaryPrimitives.WriteUInt64LittleEndian(file, 0);
        AssertRefused(file, "does not start with '{'");
        byte[] latin1 = TestWeights.File("""{"a":{}}""", 0);
        latin1[10] = 0xE9;
        AssertRefused(latin1, "not valid UTF-8");
    }

    [Fact]
    public void AFileThatIsNotThereIsNamed()
    {
        Assert.Contains("cannot be read", Assert.Throws<SoraException>(() => SafetensorsFile.Open(folder.File("none"))).Message, StringComparison.Ordinal);
        Assert.Contains("cannot be read", Assert.Throws<SoraException>(() => SafetensorsFile.Open(folder.Path)).Message, StringComparison.Ordinal);
    }

    private void AssertRefused(byte[] content, string message)
    {
        string path = folder.Write("lies.safetensors", content);
        Assert.Contains(message, Assert.Throws<SoraException>(() => SafetensorsFile.Open(path)).Message, StringComparison.Ordinal);
    }
}
