using System.CommandLine;
using System.Globalization;
using System.Numerics;

namespace Sora.Cli;

/// <summary>Options whose values are read here, so that every message is in the same words.</summary>
internal static class Setting
{
    /// <summary>An option that is null when it is not given.</summary>
    public static Option<T?> Of<T>(string name, string valueName, string description, Func<string, T> parse)
        where T : struct =>
        new(name)
        {
            HelpName = valueName,
            Description = description,
            CustomParser = result =>
            {
                try
                {
                    return parse(result.Tokens[0].Value);
                }
                catch (SoraException exception)
                {
                    result.AddError(exception.Message);
                    return null;
                }
            },
        };

    /// <summary>An option that may be given several times; null when it is not given.</summary>
    public static Option<T[]?> Many<T>(string name, string valueName, string description, Func<string, T> parse) =>
        new(name)
        {
            HelpName = valueName,
            Description = description,
            Arity = ArgumentArity.OneOrMore,
            CustomParser = result =>
            {
                try
                {
                    return [.. result.Tokens.Select(token => parse(token.Value))];
                }
                catch (SoraException exception)
                {
                    result.AddError(exception.Message);
                    return null;
                }
            },
        };

    public static Option<T?> Number<T>(string name, string valueName, string description)
        where T : struct, INumber<T> =>
        Of(name, valueName, description, text => ParseNumber<T>(name, text));

    public static Option<string?> Text(string name, string valueName, string description, params string[] aliases) =>
        new(name, aliases) { HelpName = valueName, Description = description };

    private static T ParseNumber<T>(string name, string text)
        where T : struct, INumber<T>
    {
        bool whole = T.IsInteger(T.One / (T.One + T.One));
        NumberStyles style = whole ? NumberStyles.AllowLeadingSign : NumberStyles.Float;
        if (T.TryParse(text, style, CultureInfo.InvariantCulture, out T value))
            return value;
        throw new SoraException(BigInteger.TryParse(text, style, CultureInfo.InvariantCulture, out _)
            ? $"{name} '{text}' is too large a number."
            : $"{name} '{text}' is not a {(whole ? "whole " : "")}number.");
    }
}
