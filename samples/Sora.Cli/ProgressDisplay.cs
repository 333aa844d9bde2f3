using Spectre.Console;

namespace Sora.Cli;

/// <summary>Shows progress on the error stream, so that the output stream holds the result alone.</summary>
internal static class ProgressDisplay
{
    /// <summary>Runs the work under a bar on a terminal, under plain lines elsewhere, under nothing when quiet.</summary>
    public static Task<T> RunAsync<T>(bool quiet, Func<IProgress<GenerationProgress>, Task<T>> work)
    {
        if (quiet)
            return work(new Silence());
        bool terminal = !Console.IsErrorRedirected && Environment.GetEnvironmentVariable("TERM") is not (null or "" or "dumb");
        return terminal ? RunWithBarsAsync(work) : work(new ProgressLines(Console.Error, TimeProvider.System));
    }

    private static Task<T> RunWithBarsAsync<T>(Func<IProgress<GenerationProgress>, Task<T>> work)
    {
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        return console.Progress()
            .AutoClear(true)
            .Columns(
                new TaskDescriptionColumn { Alignment = Justify.Left },
                new ProgressBarColumn(),
                new ProgressBars.StepColumn(),
                new ProgressBars.TimeLeftColumn())
            .StartAsync(context => work(new ProgressBars(context)));
    }

    private sealed class Silence : IProgress<GenerationProgress>
    {
        public void Report(GenerationProgress value)
        {
        }
    }
}
