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
        return IsTerminal ? RunWithBarsAsync(work) : work(new ProgressLines(Console.Error, TimeProvider.System));
    }

    /// <summary>Whether the error stream is a terminal that can move its cursor.</summary>
    public static bool IsTerminal => !Console.IsErrorRedirected && Environment.GetEnvironmentVariable("TERM") is not (null or "" or "dumb");

    private static Task<T> RunWithBarsAsync<T>(Func<IProgress<GenerationProgress>, Task<T>> work)
    {
        var preview = new PreviewPicture();
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        return console.Progress()
            .AutoClear(true)
            .Columns(
                new TaskDescriptionColumn { Alignment = Justify.Left },
                new ProgressBarColumn(),
                new ProgressBars.StepColumn(),
                new ProgressBars.TimeLeftColumn())
            .UseRenderHook((bars, _) => preview.Previews.Count == 0 ? bars : new Rows(preview, bars))
            .StartAsync(context => work(new ProgressBars(context, preview)));
    }

    private sealed class Silence : IProgress<GenerationProgress>
    {
        public void Report(GenerationProgress value)
        {
        }
    }
}
