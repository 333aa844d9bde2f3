using System.Text;
using Sora.Text;
using Xunit;

namespace Sora.Tests.Text;

/// <summary>
/// 10,000 random lines over many scripts, the last 1,000 of them damaged UTF-8, against the ids that spm_encode gives:
/// expectations made by make-random-strings.sh.
/// </summary>
public class RandomStringTests
{
    private const string Folder = "random_strings";

    private static readonly Lazy<byte[][]> Lines = new(
        () => SplitLines(TestFiles.ReadCompressed(Folder, "strings.gz")));

    [Fact]
    public void UnigramWithByteFallbackEqualsSentencePiece()
    {
        string path = Path.Combine(TestFiles.Folder("I_tokenizer"), "spiece.model");
        AssertEqualIds(SentencePieceTokenizer.Load(path), "unigram");
    }

    [Fact]
    public void BytePairEncodingEqualsSentencePiece() => AssertEqualIds(LoadTrained("bpe"), "bpe");

    [Fact]
    public void UnigramWithSuffixSpacesAndNoFallbackEqualsSentencePiece()
        => AssertEqualIds(LoadTrained("suffix"), "suffix");

    [Fact]
    public void BuiltModelEqualsSentencePiece()
    {
        // make-random-strings.sh takes this file when the builder has changed.
        string path = Path.Combine(AppContext.BaseDirectory, "built.model");
        new SentencePieceModelBuilder(SmallCorpus.WordCounts).Write(path);
        AssertEqualIds(SentencePieceTokenizer.Load(path), "built");
    }

    [Fact]
    public void BuiltModelStaysTheSame()
        => Assert.Equal(
            (IEnumerable<byte>)TestFiles.ReadCompressed(Folder, "built.model.gz"),
            new SentencePieceModelBuilder(SmallCorpus.WordCounts).Build());

    private static SentencePieceTokenizer LoadTrained(string name)
        => SentencePieceTokenizer.Load(TestFiles.ReadCompressed(Folder, $"{name}.model.gz"), name);

    private static void AssertEqualIds(SentencePieceTokenizer tokenizer, string name)
    {
        string[] expected = Encoding.ASCII.GetString(TestFiles.ReadCompressed(Folder, $"{name}.ids.gz")).Split('\n');
        Assert.Equal(10_000, Lines.Value.Length);
        var utf8 = new UTF8Encoding(false, throwOnInvalidBytes: true);
        for (int i = 0; i < Lines.Value.Length; i++)
        {
            byte[] line = Lines.Value[i];
            string actual = string.Join(' ', tokenizer.Encode(line));
            if (actual != expected[i])
                Assert.Fail($"Line {i + 1}, {Convert.ToHexString(line)}: expected {expected[i]}, got {actual}");
            if (i < 9_000)
                Assert.Equal(expected[i], string.Join(' ', tokenizer.Encode(utf8.GetString(line))));
        }
    }

    private static byte[][] SplitLines(byte[] text)
    {
        var lines = new List<byte[]>();
        ReadOnlySpan<byte> rest = text;
        for (int end; (end = rest.IndexOf((byte)'\n')) >= 0; rest = rest[(end + 1)..])
            lines.Add(rest[..end].ToArray());
        return [.. lines];
    }
}
