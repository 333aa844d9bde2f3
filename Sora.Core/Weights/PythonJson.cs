using System.Collections;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Sora.Weights;

/// <summary>
/// JSON as Python's <c>json.dumps(indent=2, sort_keys=True)</c> lays it out, which diffusers and transformers use: a file
/// that passes through this library differs in nothing that did not change. (Letters beyond ASCII are not escaped.)
/// </summary>
internal static class PythonJson
{
    public static string Format(SortedDictionary<string, object?> fields)
    {
        var text = new StringBuilder();
        Append(text, fields, 0);
        return text.Append('\n').ToString();
    }

    private static void Append(StringBuilder text, object? value, int depth)
    {
        switch (value)
        {
            case null:
                text.Append("null");
                break;
            case bool flag:
                text.Append(flag ? "true" : "false");
                break;
            case string words:
                JsonEncodedText escaped = JsonEncodedText.Encode(words, JavaScriptEncoder.UnsafeRelaxedJsonEscaping);
                text.Append('"').Append(escaped).Append('"');
                break;
            case float or double:
                text.Append(Number((IFormattable)value));
                break;
            case IDictionary<string, object?> fields:
                AppendItems(text, "{}", fields, depth, field =>
                {
                    Append(text, field.Key, depth);
                    text.Append(": ");
                    Append(text, field.Value, depth + 1);
                });
                break;
            case IEnumerable items:
                AppendItems(text, "[]", items.Cast<object?>(), depth, item => Append(text, item, depth + 1));
                break;
            case IFormattable number:
                text.Append(number.ToString(null, CultureInfo.InvariantCulture));
                break;
            default:
                throw new ArgumentException($"{value.GetType()} has no JSON form here.", nameof(value));
        }
    }

    private static void AppendItems<T>(
        StringBuilder text, string brackets, IEnumerable<T> items, int depth, Action<T> append)
    {
        text.Append(brackets[0]);
        bool any = false;
        foreach (T item in items)
        {
            NewLine(text.Append(any ? "," : ""), depth + 1);
            append(item);
            any = true;
        }
        if (any)
            NewLine(text, depth);
        text.Append(brackets[1]);
    }

    private static void NewLine(StringBuilder text, int depth) => text.Append('\n').Append(' ', depth * 2);

    /// <summary>The shortest digits that give the same number, as Python's repr: 1e-06, 3.0.</summary>
    private static string Number(IFormattable value)
    {
        string digits = value.ToString("R", CultureInfo.InvariantCulture);
        return digits.Contains('E') ? digits.ToLowerInvariant() : digits.Contains('.') ? digits : digits + ".0";
    }
}
