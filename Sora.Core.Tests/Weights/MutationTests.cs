using System.Buffers.Binary;
using System.Text;
using Sora.Weights;
using Xunit;
using Xunit.Abstractions;

namespace Sora.Tests.Weights;

/// <summary>
/// Thousands of damaged files: each opens or is refused with a <see cref="SoraException"/>, and none makes the reader
/// allocate more than a file of its size can justify.
/// </summary>
public sealed class MutationTests(ITestOutputHelper output) : IDisposable
{
    /// <summary>An exception with its stack and messages; what grows with the file is counted apart.</summary>
    private const long Overhead = 64 << 10;

    private static readonly string[] Tokens =
    [
        "-1", "0", "1e9", "1e400", "1.5", "9223372036854775807", "99999999999999999999", "null", "true", "\"x\"", "[]", "{}", "[[", "}",
        "\"", ",", "\\ud800", "\u0000", "\"__metadata__\"", "F8_E5M2", "[-1,2]", "\"shape\"",
    ];

    /// <summary>What a binary count, length or offset may be replaced with.</summary>
    private static readonly ulong[] Extremes = [0, 1, 31, 33, 255, 65536, uint.MaxValue, 1UL << 32, 1UL << 62, 1UL << 63, ulong.MaxValue, ulong.MaxValue - 31];

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void DamagedSafetensorsAreReadOrRefused() => Run(1000, Valid(), Read);

    [Fact]
    public void DamagedHeadersOfTheRightLengthAreReadOrRefused()
    {
        byte[] file = Valid();
        int length = (int)BinaryPrimitives.ReadUInt64LittleEndian(file);
        Run(1000, file[8..(8 + length)], header =>
        {
            byte[] lengthBytes = new byte[8];
            BinaryPrimitives.WriteInt64LittleEndian(lengthBytes, header.Length);
            Read([.. lengthBytes, .. header, .. file[(8 + length)..]]);
        });
    }

    [Fact]
    public void DamagedCheckpointsOfTorchAreReadOrRefused() =>
        Run(500, File.ReadAllBytes(TestWeights.Fixture("pickled", "state.pth")), damaged =>
        {
            using PickledCheckpoint file = PickledCheckpoint.Open(folder.Write("damaged", damaged));
            Assert.All(file.Entries.Values, entry => Assert.InRange(entry.ByteOffset + entry.ByteLength, 0, damaged.Length));
        });

    [Fact]
    public void DamagedGgufFilesAreReadOrRefused() => Run(2000, TestGguf.Small().ToBytes(), damaged =>
    {
        string path = folder.Write("damaged.gguf", damaged);
        ReadAll(GgufStore.Open(path), damaged.Length);
    });

    [Fact]
    public void DamagedFloat8FilesAreReadOrRefused()
    {
        string path = folder.File("float8.safetensors");
        SafetensorsWriter.Write(path,
        [
            TestWeights.Tensor("a.weight", SafetensorsType.F8_E4M3, 3, 4), TestWeights.Tensor("a.scale_weight", SafetensorsType.F32),
            TestWeights.Tensor("b.weight", SafetensorsType.F8_E5M2, 2, 9), TestWeights.Tensor("b.weight_scale", SafetensorsType.F32, 2),
            new("b.comfy_quant", SafetensorsType.U8, [24], """{"format":"float8_e5m2"}"""u8.ToArray()),
            TestWeights.Tensor("scaled_fp8", SafetensorsType.F8_E4M3, 2),
        ]);
        Run(2000, File.ReadAllBytes(path), damaged => ReadAll(SafetensorsStore.Open(folder.Write("float8.safetensors", damaged)), damaged.Length));
    }

    [Fact]
    public void DamagedIndexesAreReadOrRefused()
    {
        SafetensorsWriter.Write(folder.File("1.safetensors"), [TestWeights.Tensor("a", SafetensorsType.F32, 2)]);
        byte[] valid = Encoding.UTF8.GetBytes("""{"metadata":{"total_size":8},"weight_map":{"a":"1.safetensors"}}""");
        Run(500, valid, damaged =>
        {
            folder.Write("model.safetensors.index.json", damaged);
            using WeightFiles weights = WeightFiles.Open(folder.Path);
            Assert.Equal(["a"], weights.Names);
        });
    }

    [Theory]
    [InlineData("transformer")]
    [InlineData("vae")]
    [InlineData("text_encoder")]
    [InlineData("image_encoder")]
    [InlineData("image_processor")]
    [InlineData("scheduler")]
    [InlineData("tokenizer")]
    [InlineData("index")]
    [InlineData("defaults")]
    public void DamagedConfigurationsAreReadOrRefused(string kind)
    {
        (ModelConfig valid, Func<string, ModelConfig> load) = kind switch
        {
            "transformer" => ((ModelConfig)TestModel.Transformer, (Func<string, ModelConfig>)WanTransformerConfig.Load),
            "vae" => (TestModel.Vae, AutoencoderKLWanConfig.Load),
            "text_encoder" => (TestModel.TextEncoder, UMT5Config.Load),
            "image_encoder" => (TestModel.ImageEncoder, ClipVisionConfig.Load),
            "image_processor" => (TestModel.ImageProcessor, ClipImageProcessorConfig.Load),
            "scheduler" => (TestModel.Scheduler, SchedulerConfig.Load),
            "tokenizer" => (new TokenizerConfig(), TokenizerConfig.Load),
            "index" => (new ModelIndex(), ModelIndex.Load),
            _ => (new RequestDefaults(), path => RequestDefaults.Load(path)),
        };
        // What was read can be written and read again.
        Run(500, Encoding.UTF8.GetBytes(valid.ToJson()), damaged =>
            load(folder.Write("again", load(folder.Write("damaged", damaged)).ToJson())));
    }

    private byte[] Valid()
    {
        SafetensorsWriter.Write(folder.File("valid"),
        [
            TestWeights.Tensor("a.weight", SafetensorsType.F32, 3, 4), TestWeights.Tensor("b", SafetensorsType.BF16, 5),
            TestWeights.Tensor("c", SafetensorsType.U8), TestWeights.Tensor("empty", SafetensorsType.I64, 0),
        ]);
        return File.ReadAllBytes(folder.File("valid"));
    }

    private void Read(byte[] damaged)
    {
        using SafetensorsFile file = SafetensorsFile.Open(folder.Write("damaged", damaged));
        Assert.True(file.Entries.Values.Sum(entry => (long)file.Bytes(entry).Length) <= damaged.Length);
    }

    private static void ReadAll(WeightStore opened, int fileLength)
    {
        using WeightStore store = opened;
        foreach (string name in store.Names)
        {
            using DisposeScope scope = NewDisposeScope();
            // Two bits and their part of a scale become four bytes.
            Assert.True(store.Read(name, float32, CPU).NumberOfElements * sizeof(float) <= 13L * fileLength);
            Assert.Equal(bfloat16, store.Read(name, bfloat16, CPU).dtype);
        }
    }

    private void Run(int count, byte[] valid, Action<byte[]> read)
    {
        var random = new Random(20260801);
        int refused = 0;
        long most = 0;
        read(valid);
        for (int i = 0; i < count; i++)
        {
            byte[] damaged = Damage(valid, random);
            long before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                read(damaged);
            }
            catch (SoraException error)
            {
                Assert.NotEmpty(error.Message);
                refused++;
            }
            long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            most = Math.Max(most, allocated);
            Assert.True(allocated < Overhead + (20 * damaged.Length), $"{allocated} bytes for a file of {damaged.Length}");
        }
        output.WriteLine($"{refused} of {count} refused, at most {most} bytes allocated");
        Assert.InRange(refused, count / 4, count);
    }

    private static byte[] Damage(byte[] valid, Random random)
    {
        List<byte> bytes = [.. valid];
        for (int times = random.Next(1, 4); times > 0 && bytes.Count > 0; times--)
        {
            int at = random.Next(bytes.Count);
            int length = Math.Min(random.Next(1, 24), bytes.Count - at);
            switch (random.Next(8))
            {
                case 0:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 1:
                    bytes.RemoveRange(at, bytes.Count - at);
                    break;
                case 2:
                    bytes.RemoveRange(at, length);
                    break;
                case 3:
                    bytes.InsertRange(random.Next(bytes.Count), bytes.GetRange(at, length));
                    break;
                case 4:
                    bytes.InsertRange(at, Encoding.UTF8.GetBytes(Tokens[random.Next(Tokens.Length)]));
                    break;
                case 5:
                    bytes[random.Next(Math.Min(8, bytes.Count))] = (byte)random.Next(256);
                    break;
                case 6:
                    byte[] number = BitConverter.GetBytes(Extremes[random.Next(Extremes.Length)]);
                    for (int i = 0; i < Math.Min(number.Length, bytes.Count - at); i++)
                        bytes[at + i] = number[i];
                    break;
                default:
                    ReplaceNumber(bytes, at, random);
                    break;
            }
        }
        return [.. bytes];
    }

    /// <summary>Replaces the next number after a position by one that a reader may trip over.</summary>
    private static void ReplaceNumber(List<byte> bytes, int at, Random random)
    {
        while (at < bytes.Count && !char.IsAsciiDigit((char)bytes[at]))
            at++;
        int end = at;
        while (end < bytes.Count && char.IsAsciiDigit((char)bytes[end]))
            end++;
        bytes.RemoveRange(at, end - at);
        bytes.InsertRange(at, Encoding.UTF8.GetBytes(Tokens[random.Next(10)]));
    }
}
