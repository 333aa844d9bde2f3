namespace Sora.Text;

/// <summary>
/// The replacements that <see cref="SentencePieceModelBuilder"/> compiles into its models: lower case, and the part of
/// Unicode's NFKC that prompts meet, so that a small vocabulary sees one spelling of a word.
/// </summary>
internal static class SentencePieceCharacterRules
{
    // Each group: the characters on the left become the text on the right.
    private static readonly (string Sources, string Replacement)[] Groups =
    [
        ("\t\n\v\f\r\u0085\u00A0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200A", " "),
        ("\u2028\u2029\u202F\u205F\u3000", " "),
        ("\u00AD\u200B\u2060\uFEFF", ""), // soft hyphen, zero-width space, word joiner, byte order mark
        ("\u2018\u2019\u201A\u201B\u2032", "'"),
        ("\u201C\u201D\u201E\u201F\u2033", "\""),
        ("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"),
        ("\u2026", "..."),
        ("\u00B9", "1"), ("\u00B2", "2"), ("\u00B3", "3"),
        ("\uFB00", "ff"), ("\uFB01", "fi"), ("\uFB02", "fl"), ("\uFB03", "ffi"), ("\uFB04", "ffl"),
    ];

    /// <summary>Makes the replacements.</summary>
    public static IReadOnlyDictionary<string, string> Create()
    {
        var rules = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach ((string sources, string replacement) in Groups)
        {
            foreach (char source in sources)
                rules.Add(source.ToString(), replacement);
        }

        for (char upper = 'A'; upper <= 'Z'; upper++)
            rules.Add(upper.ToString(), Lower(upper));
        // Latin, Greek and Cyrillic letters; their lower case is one character each.
        for (char upper = '\u00C0'; upper <= '\u052F'; upper++)
        {
            if (char.IsUpper(upper) && char.ToLowerInvariant(upper) != upper)
                rules.Add(upper.ToString(), Lower(upper));
        }
        // Full-width forms of ASCII.
        for (char wide = '\uFF01'; wide <= '\uFF5E'; wide++)
            rules.Add(wide.ToString(), Lower((char)(wide - '\uFF01' + '!')));
        return rules;
    }

    private static string Lower(char c) => char.ToLowerInvariant(c).ToString();
}
