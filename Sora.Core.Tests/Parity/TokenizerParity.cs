using System.Text.Json;
using Sora.Text;
using Xunit;

namespace Sora.Tests.Parity;

/// <summary>A folder with a <c>spiece.model</c> and, in <c>case.json</c>, what sentencepiece makes of texts.</summary>
public static class TokenizerParity
{
    /// <summary>Asserts that ids, decoded texts, special ids and cleaned prompts equal those of the folder.</summary>
    public static void Run(string caseFolder)
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(caseFolder, "case.json")));
        JsonElement root = document.RootElement;
        var tokenizer = SentencePieceTokenizer.Load(
            Path.Combine(caseFolder, root.GetProperty("model").GetString()!));

        Assert.Equal(root.GetProperty("vocab_size").GetInt32(), tokenizer.VocabularySize);
        Assert.Equal(root.GetProperty("pad_id").GetInt32(), tokenizer.PadId);
        Assert.Equal(root.GetProperty("eos_id").GetInt32(), tokenizer.EosId);
        Assert.Equal(root.GetProperty("unk_id").GetInt32(), tokenizer.UnknownId);
        Assert.NotEmpty(root.GetProperty("cases").EnumerateArray());
        foreach (JsonElement item in root.GetProperty("cases").EnumerateArray())
        {
            string text = item.GetProperty("text").GetString()!;
            int[] ids = [.. item.GetProperty("ids").EnumerateArray().Select(id => id.GetInt32())];
            int[] withEos = [.. item.GetProperty("ids_with_eos").EnumerateArray().Select(id => id.GetInt32())];

            Assert.Equal(ids, tokenizer.Encode(text));
            Assert.Equal(withEos, (int[])[.. tokenizer.Encode(text), tokenizer.EosId]);
            Assert.Equal(item.GetProperty("decoded").GetString(), tokenizer.Decode(ids));
        }

        foreach (JsonElement pair in root.GetProperty("prompt_clean").EnumerateArray())
            Assert.Equal(pair.GetProperty("out").GetString(), PromptCleaner.Clean(pair.GetProperty("in").GetString()!));
    }
}
