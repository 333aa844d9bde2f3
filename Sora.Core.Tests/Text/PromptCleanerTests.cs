using Sora.Text;
using Xunit;

namespace Sora.Tests.Text;

public class PromptCleanerTests
{
    // The right-hand sides are what Python 3's html.unescape (twice), strip and re.sub(r"\s+", " ", ...) give.
    [Theory]
    [InlineData("", "")]
    [InlineData(" \t\n ", "")]
    [InlineData("  a   red\tfish \r\n", "a red fish")]
    [InlineData("a\u00A0b\u3000c\u2028d\u001Ce\u0085f", "a b c d e f")]
    [InlineData("zero\u200Bwidth", "zero\u200Bwidth")]
    [InlineData("Tom &amp;amp; Jerry", "Tom & Jerry")]
    [InlineData("&amp;amp;amp;", "&amp;")]
    [InlineData("&lt;b&gt;&quot;q&quot;&#39;s&#39;", "<b>\"q\"'s'")]
    [InlineData("&copy 2024 &notit; &notin; &NotEqualTilde;", "\u00A9 2024 \u00ACit; \u2209 \u2242\u0338")]
    [InlineData("AT&T fish&chips &unknown; &; & &#; &#x;", "AT&T fish&chips &unknown; &; & &#; &#x;")]
    [InlineData("&#128;&#x9f;&#129;", "\u20AC\u0178\u0081")]
    [InlineData("&#x1F600;&#X1f600 &#00065;", "\U0001F600\U0001F600 A")]
    [InlineData("&#0;&#xD800;&#x110000;&#99999999999;", "\uFFFD\uFFFD\uFFFD\uFFFD")]
    [InlineData("a&#1;b&#xFFFE;c&#xFDD0;d&#13;e&nbsp;f", "abcd e f")]
    public void CleansAsPythonDoes(string prompt, string expected)
        => Assert.Equal(expected, PromptCleaner.Clean(prompt));

    [Fact]
    public void KnowsEveryNameOfTheHtmlStandard() => Assert.Equal(2231, HtmlEntityTable.Read().Count);
}
