using Sora.Tests.Parity;
using Xunit;

namespace Sora.Tests.Text;

public class SentencePieceParityTests
{
    [Fact]
    [Trait("Category", "Parity")]
    public void IdsAndDecodedTextsEqualSentencePiece()
    {
        string? fixtures = Environment.GetEnvironmentVariable("SORA_FIXTURES");
        TokenizerParity.Run(string.IsNullOrEmpty(fixtures)
            ? TestFiles.Folder("I_tokenizer")
            : Path.Combine(fixtures, "I_tokenizer"));
    }
}
