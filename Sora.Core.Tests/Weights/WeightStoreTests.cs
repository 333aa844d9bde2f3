using Sora.Layers;
using Sora.Weights;
using Xunit;

namespace Sora.Tests.Weights;

public sealed class WeightStoreTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void AStoredTypeThatIsWantedIsNotCopied()
    {
        using SafetensorsStore store = Open("a", "b");
        using (Tensor one = store.Read("a", float32, CPU), two = store.Read("a", float32, CPU))
            Assert.Equal(EngineMemory.Address(one), EngineMemory.Address(two));
        using (Tensor half = store.Read("a", bfloat16, CPU))
            Assert.Equal(bfloat16, half.dtype);
        Assert.Equal(["b"], store.UnusedNames);
    }

    [Fact]
    public void MemoryOfAnotherShapeIsNotWritten()
    {
        using SafetensorsStore store = Open("a");
        using Tensor target = zeros([3]);
        Assert.Contains("a has shape [2]; it does not go into [3]", Assert.Throws<ArgumentException>(() => store.ReadInto("a", target)).Message, StringComparison.Ordinal);
        Assert.Equal(["a"], store.UnusedNames);
    }

    [Fact]
    public void RenamedTensorsAreThoseOfTheFile()
    {
        using var store = new RenamedStore(Open("old.a", "old.b", "strange"), name => name.StartsWith("old.", StringComparison.Ordinal) ? "new." + name[4..] : null);

        Assert.Equal(["new.a", "new.b"], store.Names);
        Assert.Equal(["strange"], store.UnrecognizedNames);
        Assert.False(store.Contains("old.a"));
        Assert.Equal([2], store.ShapeOf("new.a"));
        Assert.Equal("F32", store.StoredTypeOf("new.a"));
        Assert.Equal(folder.File("m.safetensors"), store.PathOf("new.a"));
        using Tensor read = store.Read("new.a", float32, CPU);
        Assert.Equal(TestWeights.Data("old.a", 8), read.bytes.ToArray());
        Assert.Equal(["new.b"], store.UnusedNames);
        Assert.Contains("nearest: 'new.a'", Assert.Throws<SoraException>(() => store.Read("new.aa", float32, CPU)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void TwoTensorsOfOneNameAreRefused() =>
        Assert.Contains("tensors 'a' and 'b' are both one.", Assert.Throws<SoraException>(() => new RenamedStore(Open("a", "b"), _ => "one")).Message, StringComparison.Ordinal);

    [Fact]
    public void AShapeThatTheConfigDoesNotAskForIsNamed()
    {
        using var parameters = new CheckpointParameters(Open("a"), float32, CPU);
        var scope = new ParameterScope(parameters);
        Assert.Contains("a has shape [2]; the config asks for [3].",
            Assert.Throws<SoraException>(() => scope.Float("a", [3], Initialization.Zero)).Message, StringComparison.Ordinal);
        Assert.Contains("has no tensor b, which the config asks for",
            Assert.Throws<SoraException>(() => scope.Float("b", [3], Initialization.Zero)).Message, StringComparison.Ordinal);
        Assert.Equal(["a"], parameters.UnusedNames);
    }

    private SafetensorsStore Open(params string[] names)
    {
        SafetensorsWriter.Write(folder.File("m.safetensors"), names.Select(name => TestWeights.Tensor(name, SafetensorsType.F32, 2)));
        return SafetensorsStore.Open(folder.File("m.safetensors"));
    }
}
