using Sora.Text;
using Xunit;

namespace Sora.Tests.Text;

public class PromptTokenizerTests
{
    private static readonly SentencePieceTokenizer Tokenizer =
        SentencePieceTokenizer.Load(new SentencePieceModelBuilder(SmallCorpus.WordCounts).Build());

    private static readonly PromptTokenizer Prompts = new(Tokenizer);

    [Fact]
    public void EndsAndPadsThePrompt()
    {
        TokenizedPrompt prompt = Prompts.Tokenize("  A &quot;red&quot;  Fish ", 12);
        int[] text = Tokenizer.Encode("a \"red\" fish");

        Assert.Equal(text.Length + 1, prompt.Length);
        Assert.Equal(12, prompt.Ids.Length);
        Assert.Equal(text, prompt.Ids[..text.Length]);
        Assert.Equal(Tokenizer.EosId, prompt.Ids[text.Length]);
        Assert.All(prompt.Ids[(text.Length + 1)..], id => Assert.Equal(Tokenizer.PadId, id));
        Assert.False(prompt.IsCut);
        Assert.Equal("", prompt.CutText);
    }

    [Fact]
    public void EmptyPromptIsTheEndAlone()
    {
        TokenizedPrompt prompt = Prompts.Tokenize("");
        Assert.Equal((1, PromptTokenizer.DefaultMaxLength), (prompt.Length, prompt.Ids.Length));
        Assert.Equal(Tokenizer.EosId, prompt.Ids[0]);
    }

    [Theory]
    [InlineData(6, false, "")]
    [InlineData(5, true, "sea")]
    [InlineData(4, true, "deep sea")]
    [InlineData(1, true, "red fish in deep sea")]
    public void LongPromptKeepsItsEndOfSequenceAndTellsWhatWasCut(int maxLength, bool cut, string tail)
    {
        TokenizedPrompt prompt = Prompts.Tokenize("red fish in deep sea", maxLength);
        Assert.Equal(maxLength, prompt.Length);
        Assert.Equal(Tokenizer.EosId, prompt.Ids[^1]);
        Assert.Equal((cut, tail, 6), (prompt.IsCut, prompt.CutText, prompt.UncutLength));
    }

    [Fact]
    public void CharacterCutBetweenItsBytesBelongsToTheTail()
    {
        // "red" is one piece; the fish is a space and four bytes, of which two fit.
        TokenizedPrompt prompt = Prompts.Tokenize("red \U0001F41F", 5);
        Assert.Equal("\U0001F41F", prompt.CutText);
    }

    [Fact]
    public void MaxLengthMustHoldTheEndOfSequence()
        => Assert.Throws<ArgumentOutOfRangeException>(() => Prompts.Tokenize("red", 0));

    [Fact]
    public void TokenizerWithoutPaddingIsRefused()
    {
        // spm_train's default vocabulary has no padding.
        var unpadded = SentencePieceTokenizer.Load(
            TestFiles.ReadCompressed("random_strings", "suffix.model.gz"));
        Assert.Equal(-1, unpadded.PadId);
        var exception = Assert.Throws<SoraException>(() => new PromptTokenizer(unpadded));
        Assert.Contains("padding", exception.Message, StringComparison.Ordinal);
    }
}
