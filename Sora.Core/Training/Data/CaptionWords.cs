using System.Runtime.InteropServices;
using System.Text;
using System.Text.RegularExpressions;

namespace Sora.Training.Data;

/// <summary>The words of captions in any language: runs of letters, marks and digits, compatibility forms unified, lower case.</summary>
internal static partial class CaptionWords
{
    /// <summary>Adds the words of captions to their counts.</summary>
    public static void Count(Dictionary<string, long> counts, IEnumerable<string> captions)
    {
        foreach (string caption in captions)
        {
            foreach (Match word in Word.Matches(caption.Normalize(NormalizationForm.FormKC).ToLowerInvariant()))
                CollectionsMarshal.GetValueRefOrAddDefault(counts, word.Value, out _)++;
        }
    }

    [GeneratedRegex(@"[\p{L}\p{M}\p{N}]+", RegexOptions.CultureInvariant)]
    private static partial Regex Word { get; }
}
