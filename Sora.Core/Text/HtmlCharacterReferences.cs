using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Sora.Text;

/// <summary>
/// HTML character references by the rules of the HTML standard (section 13.2.5.72 and following), as Python's
/// html.unescape applies them: names of the full table, old names without a semicolon, the longest name that matches,
/// Windows-1252 for numbers 128 to 159.
/// </summary>
internal static partial class HtmlCharacterReferences
{
    // What the numbers 0x80 to 0x9F stand for; a zero leaves the number as it is.
    private const string Windows1252 =
        "\u20AC\0\u201A\u0192\u201E\u2026\u2020\u2021\u02C6\u2030\u0160\u2039\u0152\0\u017D\0"
        + "\0\u2018\u2019\u201C\u201D\u2022\u2013\u2014\u02DC\u2122\u0161\u203A\u0153\0\u017E\u0178";

    private const string ReplacementCharacter = "\uFFFD";

    private static readonly Lazy<Dictionary<string, string>> _names = new(HtmlEntityTable.Read);

    /// <summary>Decodes the references of a text once.</summary>
    public static string Decode(string text)
        => text.Contains('&', StringComparison.Ordinal) ? Reference().Replace(text, Decode) : text;

    [GeneratedRegex(@"&(#[0-9]+;?|#[xX][0-9a-fA-F]+;?|[^\t\n\f <&#;]{1,32};?)", RegexOptions.CultureInvariant)]
    private static partial Regex Reference();

    private static string Decode(Match match)
    {
        string reference = match.Groups[1].Value;
        if (reference[0] == '#')
            return DecodeNumber(reference.AsSpan(1).TrimEnd(';'));

        for (int length = reference.Length; length >= 2; length--)
        {
            if (_names.Value.TryGetValue(reference[..length], out string? characters))
                return characters + reference[length..];
        }
        return match.Value;
    }

    private static string DecodeNumber(ReadOnlySpan<char> digits)
    {
        bool hexadecimal = digits[0] is 'x' or 'X';
        bool fits = hexadecimal
            ? uint.TryParse(digits[1..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out uint number)
            : uint.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out number);
        if (!fits || number == 0 || !Rune.IsValid(number))
            return ReplacementCharacter;
        if (number is >= 0x80 and <= 0x9F)
            return Windows1252[(int)number - 0x80] is var c and not '\0' ? c.ToString() : ((char)number).ToString();
        return IsNoncharacter(number) ? "" : new Rune(number).ToString();
    }

    private static bool IsNoncharacter(uint number)
        => number is (>= 0x1 and <= 0x8) or 0xB or (>= 0xE and <= 0x1F) or 0x7F or (>= 0xFDD0 and <= 0xFDEF)
            || (number & 0xFFFE) == 0xFFFE;
}
