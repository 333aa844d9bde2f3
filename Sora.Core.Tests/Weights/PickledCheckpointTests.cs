using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Text;
using Sora.Weights;
using Xunit;

namespace Sora.Tests.Weights;

/// <summary>
/// Files of torch.save. Those under Fixtures/pickled were written by torch 1.13; how, is in the comment of each test.
/// </summary>
public sealed unsafe class PickledCheckpointTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    // An OrderedDict of tensors of every type; "shared.second" is base[6:18] of the storage of "f32", arange(24) / 4.
    [Fact]
    public void AStateDictIsReadWhereItLies()
    {
        using PickledCheckpoint file = PickledCheckpoint.Open(Fixture("state.pth"));
        Assert.Equal(
            ["f32 F32 [2, 3, 4]", "shared.second F32 [3, 4]", "f16 F16 [3, 2]", "bf16 BF16 [2, 3]", "f64 F64 [2]", "i64 I64 [2]",
             "bool BOOL [3]", "scalar F32 []", "empty F32 [0, 3]", "parameter F32 [2]", "ones F32 [1, 3, 1]"],
            file.Entries.Values.Select(entry => $"{entry.Name} {entry}"));
        Assert.Equal([.. Enumerable.Range(0, 24).Select(i => i / 4f)], Values<float>(file, "f32"));
        Assert.Equal([.. Enumerable.Range(6, 12).Select(i => i / 4f)], Values<float>(file, "shared.second"));
        Assert.Equal(file.Entries["f32"].ByteOffset + 24, file.Entries["shared.second"].ByteOffset);
        Assert.Equal([.. Enumerable.Range(0, 6).Select(i => (Half)(i / 8f))], Values<Half>(file, "f16"));
        Assert.Equal([-3f, -2, -1, 0, 1, 2], [.. Values<ushort>(file, "bf16").Select(bits => BitConverter.UInt32BitsToSingle((uint)bits << 16))]);
        Assert.Equal([1.5, -2.25], Values<double>(file, "f64"));
        Assert.Equal([-5L, 7], Values<long>(file, "i64"));
        Assert.Equal([true, false, true], Values<bool>(file, "bool"));
        Assert.Equal([0.5f], Values<float>(file, "scalar"));
        Assert.Equal([3f, 3], Values<float>(file, "parameter"));
        Assert.All(file.Entries.Values, entry => Assert.True(entry.IsAligned));
    }

    // {"epoch": 3, "loss": 0.25, "name": "run", "flags": [True, None, (1, 2, 3, 4)], "state_dict": {"w": arange(3)}}
    [Fact]
    public void AStateDictBesideOtherThingsIsFound()
    {
        using PickledCheckpoint file = PickledCheckpoint.Open(Fixture("wrapped.pth"));
        Assert.Equal([0f, 1, 2], Values<float>(file, Assert.Single(file.Entries.Keys)));
    }

    // The state_dict of a Sequential, which carries _metadata, and a dictionary saved with pickle_protocol=4.
    [Fact]
    public void ModulesAndLaterProtocolsAreRead()
    {
        using PickledCheckpoint module = PickledCheckpoint.Open(Fixture("module.pth"));
        Assert.Equal(["0.weight", "0.bias"], module.Entries.Keys);
        Assert.Equal([0.125f, 0.125f], Values<float>(module, "0.bias"));
        using PickledCheckpoint later = PickledCheckpoint.Open(Fixture("protocol4.pth"));
        Assert.Equal([0f, 1, 2], Values<float>(later, "w"));
    }

    [Theory]
    [InlineData("code.pth", "asks for posix.system; only tensors in dictionaries are read, code is never run")] // Saved with a class whose __reduce__ is os.system.
    [InlineData("transposed.pth", "'w' of [3, 2] has strides [1, 3]; only row-major tensors are read")]
    [InlineData("legacy.pth", "written by torch before 1.6")] // _use_new_zipfile_serialization=False
    public void WhatIsNotReadIsRefusedByName(string name, string message) =>
        Assert.Contains(message, Error(Fixture(name)), StringComparison.Ordinal);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void ArchivesOfEitherSizeAreRead(bool wide)
    {
        byte[] file = StoredZip.Of(Entries("state.pth"), wide);
        using PickledCheckpoint read = PickledCheckpoint.Open(_folder.Write("again.pth", file));
        Assert.Equal(11, read.Entries.Count);
        Assert.Equal([1.5, -2.25], Values<double>(read, "f64"));
    }

    [Fact]
    public void AFileCutShortAtAnyByteIsRefused()
    {
        byte[] whole = File.ReadAllBytes(Fixture("wrapped.pth"));
        for (int length = 0; length < whole.Length; length++)
            Assert.NotEmpty(Error(_folder.Write("cut.pth", whole[..length])));
    }

    [Fact]
    public void CompressedMissingAndShortDataAreNamed()
    {
        using (var archive = new ZipArchive(File.Create(_folder.File("packed.pth")), ZipArchiveMode.Create))
            foreach ((string name, byte[] data) in Entries("wrapped.pth"))
                using (Stream entry = archive.CreateEntry(name, CompressionLevel.Optimal).Open())
                    entry.Write(data);
        Assert.Contains("is compressed or encrypted", Error(_folder.File("packed.pth")), StringComparison.Ordinal);

        Assert.Contains("the data of 'w', wrapped/data/0, is missing",
            Error(Archive(Entries("wrapped.pth").Where(entry => !entry.Name.EndsWith("data/0", StringComparison.Ordinal)))), StringComparison.Ordinal);
        Assert.Contains("the data of 'w' has 8 bytes; 3 elements of F32 were announced",
            Error(Archive(Entries("wrapped.pth").Select(entry => entry.Name.EndsWith("data/0", StringComparison.Ordinal) ? (entry.Name, entry.Data[..8]) : entry))),
            StringComparison.Ordinal);
        Assert.Contains("looked for one data.pkl, found 0", Error(Archive([("a", new byte[99])])), StringComparison.Ordinal);
        Assert.Contains("big-endian", Error(Archive([.. Entries("wrapped.pth"), ("wrapped/byteorder", "big"u8.ToArray())])), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("cbuiltins\neval\n.", "asks for builtins.eval")]
    [InlineData("cnumpy\nndarray\n.", "asks for numpy.ndarray")]
    [InlineData("I1\n.", "asks for instruction 0x49")]
    [InlineData("]K\u0001b.", "attributes of something that is not a dictionary")]
    [InlineData("K\u0001.", "the checkpoint is no dictionary of tensors")]
    [InlineData("}.", "looked for tensors or one of state_dict")]
    [InlineData("h\u0001.", "value 1 is used before it is made")]
    [InlineData("t.", "a mark is missing")]
    [InlineData("NK\u0001R.", "a call has no function")]
    [InlineData("ccollections\nOrderedDict\n(K\u0001tR.", "OrderedDict is called with 1 arguments that it does not take")]
    [InlineData("", "it ends before its end mark")]
    public void PicklesThatAreNoStateDictAreRefused(string pickle, string message) =>
        Assert.Contains(message, Error(Archive([("x/data.pkl", Encoding.Latin1.GetBytes(pickle))])), StringComparison.Ordinal);

    [Fact]
    public void DamagedPicklesAreReadOrRefused()
    {
        (string Name, byte[] Data)[] entries = [.. Entries("state.pth")];
        byte[] pickle = entries.Single(entry => entry.Name.EndsWith("data.pkl", StringComparison.Ordinal)).Data;
        var random = new Random(7);
        int refused = 0;
        for (int i = 0; i < 500; i++)
        {
            byte[] damaged = [.. pickle];
            for (int times = random.Next(1, 4); times > 0; times--)
                damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
            string path = Archive(entries.Select(entry => entry.Data == pickle ? (entry.Name, damaged) : entry));
            long length = new FileInfo(path).Length;
            try
            {
                using PickledCheckpoint file = PickledCheckpoint.Open(path);
                Assert.All(file.Entries.Values, entry => Assert.InRange(entry.ByteOffset + entry.ByteLength, 0, length));
            }
            catch (SoraException)
            {
                refused++;
            }
        }
        Assert.InRange(refused, 100, 500);
    }

    private static string Fixture(string name) => TestWeights.Fixture("pickled", name);

    private static string Error(string path) => Assert.Throws<SoraException>(() => PickledCheckpoint.Open(path).Dispose()).Message;

    private static T[] Values<T>(PickledCheckpoint file, string name)
        where T : unmanaged
    {
        SafetensorsEntry entry = file.Entries[name];
        return MemoryMarshal.Cast<byte, T>(new ReadOnlySpan<byte>((void*)file.Pointer(entry), (int)entry.ByteLength)).ToArray();
    }

    private static IEnumerable<(string Name, byte[] Data)> Entries(string name)
    {
        using ZipArchive archive = ZipFile.OpenRead(Fixture(name));
        foreach (ZipArchiveEntry entry in archive.Entries)
        {
            using var data = new MemoryStream();
            using (Stream stream = entry.Open())
                stream.CopyTo(data);
            yield return (entry.FullName, data.ToArray());
        }
    }

    private string Archive(IEnumerable<(string Name, byte[] Data)> entries) => _folder.Write("archive.pth", StoredZip.Of(entries));
}
