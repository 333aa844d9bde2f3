using Sora.Text;
using Xunit;

namespace Sora.Tests.Text;

public class SentencePieceTokenizerTests
{
    private static readonly SentencePieceTokenizer Tokenizer = SentencePieceTokenizer.Load(
        Path.Combine(TestFiles.Folder("I_tokenizer"), "spiece.model"));

    [Fact]
    public void LoneSurrogateCountsAsReplacementCharacter()
    {
        int[] expected = Tokenizer.Encode("a\uFFFDb");
        Assert.Equal(expected, Tokenizer.Encode("a\uD83Db"));
        Assert.Equal(expected, Tokenizer.Encode("a\uDE00b"));
        Assert.Equal(Tokenizer.Encode("a\uFFFD"), Tokenizer.Encode("a\uD83D"));
    }

    [Fact]
    public void EachMalformedByteBecomesReplacementCharacter()
    {
        // The three bytes of an encoded surrogate. The character map, which turns U+FFFD in a text into a space, does
        // not see these.
        int[] ids = Tokenizer.Encode([0x61, 0xED, 0xA0, 0x80, 0x62]);
        Assert.Equal("a\uFFFD\uFFFD\uFFFDb", Tokenizer.Decode(ids));
    }

    [Fact]
    public void DecodingRefusesIdsOutsideTheVocabulary()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => Tokenizer.Decode([Tokenizer.VocabularySize]));
        Assert.Throws<ArgumentOutOfRangeException>(() => Tokenizer.Decode([-1]));
    }

    [Fact]
    public void IncompleteBytesDecodeToReplacementCharacters()
    {
        int[] ids = Tokenizer.Encode("\U0001F41F");
        Assert.Equal("\U0001F41F", Tokenizer.Decode(ids));
        Assert.Equal("\uFFFD\uFFFD\uFFFD", Tokenizer.Decode(ids.AsSpan(0, ids.Length - 1)));
    }

    [Fact]
    public void ControlIdsAreInvisible()
        => Assert.Equal("a fish", Tokenizer.Decode([.. Tokenizer.Encode("a fish"), Tokenizer.EosId, Tokenizer.PadId]));

    [Fact]
    public void LoadsFromStreamAndMemoryAlike()
    {
        byte[] model = File.ReadAllBytes(Path.Combine(TestFiles.Folder("I_tokenizer"), "spiece.model"));
        using var stream = new MemoryStream(model);
        Assert.Equal(Tokenizer.Encode("a red fish"), SentencePieceTokenizer.Load(stream).Encode("a red fish"));
        Assert.Equal(Tokenizer.Encode("a red fish"), SentencePieceTokenizer.Load(model).Encode("a red fish"));
    }
}
