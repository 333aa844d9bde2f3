using System.Buffers.Binary;
using System.Text;
using Sora.Weights;
using Xunit;

namespace Sora.Tests.Weights;

public sealed class SafetensorsWriterTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void TheBytesDoNotDependOnTheOrder()
    {
        SafetensorsContent[] tensors =
        [
            TestWeights.Tensor("b", SafetensorsType.F32, 3), TestWeights.Tensor("a", SafetensorsType.BF16, 5),
            TestWeights.Tensor("c", SafetensorsType.U8, 7), TestWeights.Tensor("d", SafetensorsType.F64, 1),
        ];
        Dictionary<string, string> metadata = new() { ["x"] = "1", ["a"] = "2" };

        SafetensorsWriter.Write(folder.File("one"), tensors, metadata);
        SafetensorsWriter.Write(folder.File("two"), tensors.Reverse(), metadata.Reverse().ToDictionary());

        Assert.Equal(File.ReadAllBytes(folder.File("one")), File.ReadAllBytes(folder.File("two")));
    }

    [Fact]
    public void TheFileIsLaidOutAsTheFormatSays()
    {
        SafetensorsWriter.Write(folder.File("file"), [TestWeights.Tensor("w", SafetensorsType.F32, 1, 2)]);
        byte[] file = File.ReadAllBytes(folder.File("file"));
        int length = (int)BinaryPrimitives.ReadUInt64LittleEndian(file);

        Assert.Equal(0, length % 8);
        Assert.Equal("""{"__metadata__":{"format":"pt"},"w":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}}""",
            Encoding.UTF8.GetString(file, 8, length).TrimEnd(' '));
        Assert.Equal(TestWeights.Data("w", 8), file[(8 + length)..]);
    }

    [Fact]
    public void AFileWithoutTensorsAndMetadataOpens()
    {
        SafetensorsWriter.Write(folder.File("file"), [], new Dictionary<string, string>());
        using SafetensorsFile file = SafetensorsFile.Open(folder.File("file"));
        Assert.Empty(file.Entries);
        Assert.Empty(file.Metadata);
    }

    [Theory]
    [InlineData(7)]
    [InlineData(9)]
    public void ATensorOfTheWrongLengthLeavesTheOldFileAndNothingElse(int written)
    {
        string path = folder.Write("file", "old");
        var wrong = new SafetensorsContent("w", SafetensorsType.F64, [1], stream => stream.Write(new byte[written]));

        Assert.Contains($"'w' wrote {written} bytes",
            Assert.Throws<InvalidOperationException>(() => SafetensorsWriter.Write(path, [wrong])).Message, StringComparison.Ordinal);

        Assert.Equal("old", File.ReadAllText(path));
        Assert.Equal([path], Directory.GetFiles(folder.Path));
    }

    [Fact]
    public void AFolderThatIsNotThereIsNamed() =>
        Assert.Contains("cannot be written",
            Assert.Throws<SoraException>(() => SafetensorsWriter.Write(folder.File("none", "file"), [])).Message, StringComparison.Ordinal);

    [Fact]
    public void ImpossibleTensorsAreRefused()
    {
        Assert.Throws<ArgumentException>(() => new SafetensorsContent("__metadata__", SafetensorsType.U8, [1], new byte[1]));
        Assert.Throws<ArgumentException>(() => new SafetensorsContent("w", SafetensorsType.U8, [-1], new byte[1]));
        Assert.Throws<ArgumentException>(() => new SafetensorsContent("w", SafetensorsType.F32, [long.MaxValue], _ => { }));
        Assert.Throws<ArgumentException>(() => new SafetensorsContent("w", SafetensorsType.F32, [2], new byte[7]));
        SafetensorsContent tensor = TestWeights.Tensor("w", SafetensorsType.U8, 1);
        Assert.Throws<ArgumentException>(() => SafetensorsWriter.Write(folder.File("file"), [tensor, tensor]));
    }
}
