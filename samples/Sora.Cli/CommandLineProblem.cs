using System.CommandLine;
using System.CommandLine.Parsing;

namespace Sora.Cli;

/// <summary>Says what is wrong with a command line, and what was probably meant.</summary>
internal static class CommandLineProblem
{
    /// <summary>The first problem as a sentence; null where the line can be carried out.</summary>
    public static string? Find(ParseResult line)
    {
        Command command = line.CommandResult.Command;
        bool asksForHelpOrVersion = line.Errors.Count == 0 && line.Action != command.Action;
        if (asksForHelpOrVersion)
            return null;
        if (MistypedOption(line) is { } option)
            return $"Option '{option}' is unknown{Nearest(option, OptionNames(line))}; `{PathOf(command)} --help` lists them.";
        if (line.Errors.Count == 0)
            return null;
        if (command is RootCommand)
            return CommandProblem(line, command);
        return line.UnmatchedTokens is [string unexpected, ..]
            ? $"'{unexpected}' is unexpected; put a text of several words in quotes."
            : line.Errors[0].Message;
    }

    /// <summary>
    /// The first word that begins with a dash and is no option. The parser takes it for the command's argument where
    /// that is still open; nobody means that without a <c>--</c> before it.
    /// </summary>
    private static string? MistypedOption(ParseResult line)
    {
        HashSet<string> stray =
        [
            .. line.UnmatchedTokens,
            .. line.CommandResult.Command.Arguments
                .SelectMany(argument => line.GetResult(argument)?.Tokens ?? [])
                .Select(token => token.Value),
        ];
        return line.Tokens
            .TakeWhile(token => token.Type != TokenType.DoubleDash)
            .FirstOrDefault(token => token.Type == TokenType.Argument && token.Value is ['-', _, ..] && stray.Contains(token.Value))
            ?.Value.Split('=', 2)[0];
    }

    private static string CommandProblem(ParseResult line, Command root)
    {
        string[] known = [.. root.Subcommands.Select(command => command.Name)];
        return line.UnmatchedTokens is [string given, ..]
            ? $"Command '{given}' is unknown; known: {string.Join(", ", known)}{Nearest(given, known)}."
            : $"A command is missing; known: {string.Join(", ", known)}; `{PathOf(root)} --help` describes them.";
    }

    private static string Nearest(string given, IEnumerable<string> known) =>
        NearestName.Find(given, known) is { } found ? $"; nearest: {found}" : "";

    private static IEnumerable<string> OptionNames(ParseResult line)
    {
        IEnumerable<Option> options = line.CommandResult.Command.Options;
        if (line.CommandResult.Command is not RootCommand)
            options = options.Concat(line.RootCommandResult.Command.Options.Where(option => option.Recursive));
        return options.SelectMany(option => option.Aliases.Prepend(option.Name));
    }

    private static string PathOf(Command command) => command is RootCommand ? "sora" : $"sora {command.Name}";
}
