using System.Globalization;
using System.Text;
using Sora.Text;
using Xunit;

namespace Sora.Tests.Text;

public class SentencePieceModelBuilderTests
{
    private static readonly SentencePieceTokenizer Tokenizer =
        SentencePieceTokenizer.Load(new SentencePieceModelBuilder(SmallCorpus.WordCounts).Build());

    [Fact]
    public void SpecialIdsAreThoseOfTheTextEncoder()
        => Assert.Equal((0, 1, 2), (Tokenizer.PadId, Tokenizer.EosId, Tokenizer.UnknownId));

    [Theory]
    [InlineData("a red fish")]
    [InlineData("caf\u00E9 \u043C\u043E\u0440\u0435 3d blue-green don't")]
    public void EveryWordOfTheCorpusIsOnePiece(string text)
        => Assert.Equal(text.Split(' ').Length, Tokenizer.Encode(text).Length);

    [Theory]
    [InlineData("A RED Fish")]
    [InlineData("\uFF41\u3000\uFF32\uFF45\uFF44\u00A0fish")]
    [InlineData("a\tred\u2003fi\u00ADsh\n")]
    public void SpellingsOfOneTextHaveTheSameIds(string text)
        => Assert.Equal(Tokenizer.Encode("a red fish"), Tokenizer.Encode(text));

    [Theory]
    [InlineData("red, fish.")]
    [InlineData("zebra? \"quoted\" (x=1) <pad>")]
    [InlineData("\u6D77 \U0001F41F e\u0301")]
    public void OtherTextIsSpelled(string text)
    {
        int[] ids = Tokenizer.Encode(text);
        Assert.DoesNotContain(Tokenizer.UnknownId, ids);
        Assert.Equal(text, Tokenizer.Decode(ids));
    }

    [Theory]
    [InlineData("", 1)]
    [InlineData(" ", 1)]
    [InlineData("two words", 1)]
    [InlineData("fish", 0)]
    public void WordsThatAreNoneAreRefused(string word, long count)
        => Assert.Throws<ArgumentException>(() => new SentencePieceModelBuilder([new(word, count)]));

    [Fact]
    public void EmptyCorpusIsRefused() => Assert.Throws<ArgumentException>(() => new SentencePieceModelBuilder([]));

    [Fact]
    public void WritingReplacesTheFileAndLeavesNothingElse()
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("sora-tokenizer-");
        try
        {
            string path = Path.Combine(folder.FullName, "spiece.model");
            File.WriteAllText(path, "old");
            new SentencePieceModelBuilder(SmallCorpus.WordCounts).Write(path);
            Assert.Equal(Tokenizer.VocabularySize, SentencePieceTokenizer.Load(path).VocabularySize);
            Assert.Equal([path], Directory.GetFiles(folder.FullName));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public void DoubleArrayFindsTheLongestOfManyKeys()
    {
        var random = new Random(3);
        var rules = new Dictionary<string, string>(StringComparer.Ordinal);
        for (int i = 0; i < 3000; i++)
            rules[RandomText(random, 1 + random.Next(4))] = i.ToString(CultureInfo.InvariantCulture);
        var map = SentencePieceCharacterMap.Read(SentencePieceCharacterMap.Compile(rules));

        for (int i = 0; i < 2_000; i++)
        {
            string text = RandomText(random, 6);
            string? longest = rules.Keys.Where(key => text.StartsWith(key, StringComparison.Ordinal))
                .MaxBy(key => key.Length);
            int length = map.LongestPrefix(Encoding.UTF8.GetBytes(text), out ReadOnlySpan<byte> replacement);
            Assert.Equal(Encoding.UTF8.GetByteCount(longest ?? ""), length);
            Assert.Equal(longest is null ? "" : rules[longest], Encoding.UTF8.GetString(replacement));
        }
    }

    private static string RandomText(Random random, int length)
    {
        const string Alphabet = "abcdefg\u00E4\u00E9\u03B1\u6D77\u6D78";
        return string.Create(length, random, static (span, random) =>
        {
            foreach (ref char c in span)
                c = Alphabet[random.Next(Alphabet.Length)];
        });
    }
}
