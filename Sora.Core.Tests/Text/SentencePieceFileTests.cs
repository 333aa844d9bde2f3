using System.Buffers.Binary;
using System.Text;
using Sora.Text;
using Xunit;

namespace Sora.Tests.Text;

/// <summary>Files that are not usable models are refused with a reason, whatever their bytes.</summary>
public class SentencePieceFileTests
{
    private static readonly string ModelPath = Path.Combine(TestFiles.Folder("I_tokenizer"), "spiece.model");

    [Fact]
    public void MissingFileIsNamed()
    {
        string path = Path.Combine(Path.GetTempPath(), "no-such-folder", "spiece.model");
        var exception = Assert.Throws<SoraException>(() => SentencePieceTokenizer.Load(path));
        Assert.Contains(path, exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "it is empty")]
    [InlineData("PK\u0003\u0004 a zip archive", "not a complete protocol buffer")]
    [InlineData("version https://git-lfs.github.com/spec/v1", "not a complete protocol buffer")]
    public void OtherFilesAreRefusedWithTheirNameAndTheReason(string content, string reason)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(content);
        SoraException exception = Assert.Throws<SoraException>(
            () => SentencePieceTokenizer.Load(bytes, "folder/spiece.model"));
        Assert.Contains("folder/spiece.model", exception.Message, StringComparison.Ordinal);
        Assert.Contains(reason, exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void TruncatedFilesAreRefused()
    {
        byte[] model = File.ReadAllBytes(ModelPath);
        for (int length = 0; length < model.Length; length += 997)
            Assert.Throws<SoraException>(() => SentencePieceTokenizer.Load(model.AsMemory(0, length)));
    }

    [Fact]
    public void ModelWithoutPiecesIsRefused()
        => AssertRefused("it holds no pieces", Settings(byteFallback: false, modelType: 1));

    [Theory]
    [InlineData(3, "its model type is WORD; UNIGRAM and BPE are supported")]
    [InlineData(4, "its model type is CHAR; UNIGRAM and BPE are supported")]
    public void OtherAlgorithmsAreRefused(int modelType, string reason)
        => AssertRefused(reason, [.. Piece("<unk>", 2), .. Piece("a", 1), .. Settings(byteFallback: false, modelType)]);

    [Fact]
    public void ContradictingPiecesAreRefused()
    {
        byte[] settings = Settings(byteFallback: false, modelType: 1);
        AssertRefused("it has no piece of type unknown", [.. Piece("a", 1), .. settings]);
        AssertRefused("both are of type unknown", [.. Piece("<unk>", 2), .. Piece("<u>", 2), .. settings]);
        AssertRefused(
            "piece 2 repeats piece 1", [.. Piece("<unk>", 2), .. Piece("a", 1), .. Piece("a", 1), .. settings]);
        AssertRefused("piece 1 is empty", [.. Piece("<unk>", 2), .. Piece("", 1), .. settings]);
        AssertRefused("byte fallback is off", [.. Piece("<unk>", 2), .. Piece("<0x00>", 6), .. settings]);
        AssertRefused("it has no pieces for text", [.. Piece("<unk>", 2), .. settings]);
        AssertRefused(
            "no piece <0x00>", [.. Piece("<unk>", 2), .. Piece("a", 1), .. Settings(byteFallback: true, modelType: 1)]);
    }

    [Fact]
    public void DamagedCharacterMapIsRefused()
    {
        byte[] pieces = [.. Piece("<unk>", 2), .. Piece("a", 1), .. Settings(byteFallback: false, modelType: 1)];
        byte[] map = SentencePieceCharacterMap.Compile(new Dictionary<string, string> { ["A"] = "a" });
        AssertUsable([.. pieces, .. Normalizer(map)]);

        AssertRefused("too few for a trie", [.. pieces, .. Normalizer([1, 0, 0, 0])]);
        AssertRefused("claims a trie of", [.. pieces, .. Normalizer([255, 255, 255, 255, .. map[4..]])]);
        AssertRefused("not a multiple of 4", [.. pieces, .. Normalizer([3, 0, 0, 0, .. map[4..]])]);
        AssertRefused("points at", [.. pieces, .. Normalizer(WithStringsCut(map))]);
    }

    [Fact]
    public void AnyDamageIsRefusedOrHarmless()
    {
        byte[] model = File.ReadAllBytes(ModelPath);
        byte[] built = new SentencePieceModelBuilder(SmallCorpus.WordCounts).Build();
        var random = new Random(7);
        int refused = 0;
        for (int i = 0; i < 1000; i++)
        {
            byte[] damaged = Damage(i % 4 == 0 ? model : built, random);
            try
            {
                var tokenizer = SentencePieceTokenizer.Load(damaged);
                int[] ids = tokenizer.Encode("A red fish <fish> caf\u00E9 \u6D77 \uFF21\u3000\uD800 x");
                tokenizer.Decode(ids);
            }
            catch (SoraException exception)
            {
                Assert.StartsWith("The tokenizer spiece.model is not", exception.Message, StringComparison.Ordinal);
                refused++;
            }
        }
        Assert.InRange(refused, 100, 999);
    }

    private static byte[] Damage(byte[] source, Random random)
    {
        var bytes = new List<byte>(source);
        for (int changes = 1 + random.Next(8); changes > 0; changes--)
        {
            int position = random.Next(random.Next(3) == 0 ? Math.Min(bytes.Count, 300) : bytes.Count);
            switch (random.Next(6))
            {
                case 0:
                    bytes[position] = (byte)random.Next(256);
                    break;
                case 1:
                    bytes[position] ^= (byte)(1 << random.Next(8));
                    break;
                case 2:
                    bytes[position] = 0xFF;
                    break;
                case 3:
                    bytes.RemoveRange(position, Math.Min(random.Next(1, 100), bytes.Count - position - 1));
                    break;
                case 4:
                    bytes.InsertRange(position, bytes.GetRange(0, Math.Min(random.Next(1, 100), bytes.Count)));
                    break;
                default:
                    if (random.Next(10) == 0)
                        bytes.RemoveRange(position + 1, bytes.Count - position - 1);
                    break;
            }
        }
        return [.. bytes];
    }

    private static void AssertUsable(byte[] model)
    {
        // Without an added space, so that "A" is the one piece "a".
        byte[] unprefixed = [.. model, .. Field(3, [0x18, 0])];
        Assert.Equal([1], SentencePieceTokenizer.Load(unprefixed).Encode("A"));
    }

    private static void AssertRefused(string reason, byte[] model)
    {
        var exception = Assert.Throws<SoraException>(() => SentencePieceTokenizer.Load(model));
        Assert.Contains(reason, exception.Message, StringComparison.Ordinal);
    }

    private static byte[] WithStringsCut(byte[] map)
    {
        // The trie's only value moves far behind the strings.
        byte[] changed = [.. map];
        int trieSize = BinaryPrimitives.ReadInt32LittleEndian(map);
        for (int unit = 4; unit < 4 + trieSize; unit += 4)
        {
            if (BinaryPrimitives.ReadUInt32LittleEndian(map.AsSpan(unit)) == 0x80000000)
                BinaryPrimitives.WriteUInt32LittleEndian(changed.AsSpan(unit), 0x80001000);
        }
        return changed;
    }

    private static byte[] Piece(string text, byte type)
        => Field(1, [.. Field(1, Encoding.UTF8.GetBytes(text)), 0x18, type]);

    private static byte[] Settings(bool byteFallback, int modelType)
        => Field(2, [0x18, (byte)modelType, 0x98, 0x02, byteFallback ? (byte)1 : (byte)0]);

    private static byte[] Normalizer(byte[] characterMap) => Field(3, Field(2, characterMap));

    /// <summary>A length-delimited field, with a length of up to 14 bits.</summary>
    private static byte[] Field(int number, byte[] content)
        => [(byte)((number << 3) | 2), (byte)((content.Length & 0x7F) | 0x80), (byte)(content.Length >> 7), .. content];
}
