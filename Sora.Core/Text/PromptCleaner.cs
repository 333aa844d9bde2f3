using System.Text;

namespace Sora.Text;

/// <summary>
/// Cleans a prompt as the pipelines that the models were published with do (prompt_clean in diffusers' Wan pipelines,
/// without the optional ftfy repair): HTML character references are decoded twice, then white space is reduced.
/// </summary>
public static class PromptCleaner
{
    /// <summary>Cleans a prompt.</summary>
    /// <param name="prompt">Any text.</param>
    /// <returns>The text without character references, white space at its ends, or runs of white space.</returns>
    public static string Clean(string prompt)
    {
        ArgumentNullException.ThrowIfNull(prompt);
        // Twice: text that was escaped twice, "&amp;amp;", is common in scraped captions.
        return CollapseWhiteSpace(HtmlCharacterReferences.Decode(HtmlCharacterReferences.Decode(prompt)));
    }

    private static string CollapseWhiteSpace(string text)
    {
        var result = new StringBuilder(text.Length);
        bool pendingSpace = false;
        foreach (char c in text)
        {
            if (IsWhiteSpace(c))
            {
                pendingSpace = result.Length > 0;
                continue;
            }
            if (pendingSpace)
                result.Append(' ');
            pendingSpace = false;
            result.Append(c);
        }
        return result.ToString();
    }

    // What Python's \s matches: the four information separators too, unlike char.IsWhiteSpace.
    private static bool IsWhiteSpace(char c) => char.IsWhiteSpace(c) || c is >= '\u001C' and <= '\u001F';
}
