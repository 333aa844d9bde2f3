using System.CommandLine;

namespace Sora.Cli;

/// <summary><c>sora generate</c>: a video from a prompt, and from pictures that it shows at given places.</summary>
internal static class GenerateCommand
{
    public static Command Create()
    {
        var command = new Command("generate", "Generates a video from a prompt.") { GenerateOptions.Prompt };
        GenerateOptions.AddTo(command, [.. GenerateOptions.KnownFrames]);
        command.SetAction((line, cancellationToken) => GenerationRun.RunAsync(
            line,
            GenerateOptions.RequestOf(line, "sora generate \"a red fish swims left\""),
            (request, limits) => GivenFrames.Add(
                request, line.GetValue(GenerateOptions.First), line.GetValue(GenerateOptions.Last), line.GetValue(GenerateOptions.Known) ?? [], limits, cancellationToken),
            cancellationToken));
        return command;
    }
}
