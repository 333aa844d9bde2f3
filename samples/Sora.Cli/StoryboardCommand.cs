using System.CommandLine;
using Sora.Storyboards;

namespace Sora.Cli;

/// <summary><c>sora storyboard</c>: a video from a file that says what it shows from when to when.</summary>
internal static class StoryboardCommand
{
    private const string Example = "sora storyboard board.json -o film.mp4";

    private static readonly Argument<string?> Board = new("file")
    {
        Description = "A JSON file of segments (from, to, prompt) and known frames (at, file); what options say goes before what it says",
        Arity = ArgumentArity.ZeroOrOne,
    };

    public static Command Create()
    {
        var command = new Command("storyboard", "Generates a video from timed prompts and pictures in a file.") { Board };
        GenerateOptions.AddTo(command, [.. GenerateOptions.Windows, GenerateOptions.Count]);
        command.SetAction((line, cancellationToken) =>
        {
            Storyboard board = Storyboard.Load(line.GetValue(Board) ?? throw new SoraException($"The storyboard's file is missing: {Example}."));
            if (line.GetValue(GenerateOptions.Frames) is not null)
                throw new SoraException("--frames is given, and the storyboard's segments say how long the video is; change their times.");
            return GenerationRun.RunAsync(
                line,
                GenerateOptions.RequestOf(line, Example, board.Settings),
                (request, limits) => (board with { Settings = request }).ToRequest(limits, cancellationToken),
                cancellationToken);
        });
        return command;
    }
}
