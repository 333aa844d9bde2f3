using Sora.Text;

namespace Sora;

/// <summary>Tells a person which part of a prompt the model does not see.</summary>
internal static class CutNote
{
    public static string Of(TokenizedPrompt tokens) =>
        $"The prompt has {tokens.UncutLength} tokens and the model reads {tokens.Ids.Length}; this end of it is not seen: \"{tokens.CutText}\".";
}
