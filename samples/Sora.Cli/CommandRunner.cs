using System.CommandLine;
using Sora.Frames;

namespace Sora.Cli;

/// <summary>Runs a command line and turns what goes wrong into one sentence and an exit code.</summary>
internal static class CommandRunner
{
    private static readonly TimeSpan SignalDelay = TimeSpan.FromSeconds(1);

    /// <summary>Understood by every command.</summary>
    public static Option<bool> Verbose { get; } = new("--verbose")
    {
        Description = "Say more; show where in the program an error arose [default: off]",
        Recursive = true,
    };

    public static async Task<int> RunAsync(RootCommand sora, string[] args, CancellationToken cancellationToken)
    {
        sora.Add(Verbose);
        // "@home" is a prompt and not a file of arguments.
        var parsing = new ParserConfiguration { EnablePosixBundling = false, ResponseFileTokenReplacer = null };
        ParseResult line = sora.Parse(args, parsing);
        if (CommandLineProblem.Find(line) is { } problem)
            return Fail(problem, ExitCode.BadRequest);

        // Errors and signals are handled here and in Interruption.
        var invocation = new InvocationConfiguration
        {
            EnableDefaultExceptionHandler = false,
            ProcessTerminationTimeout = null,
        };
        try
        {
            return await line.InvokeAsync(invocation, cancellationToken);
        }
        catch (Exception exception) when (IsInterrupted(exception, cancellationToken))
        {
            return Fail("Interrupted.", ExitCode.Interrupted);
        }
        catch (SoraException exception)
        {
            return Fail(Describe(exception, line), ExitCode.BadRequest);
        }
        catch (Exception exception)
        {
            return Fail(Describe(exception, line), ExitCode.Failed);
        }
    }

    /// <summary>
    /// Not OperationCanceledException alone: a terminal's Ctrl-C also reaches ffmpeg, whose end is another error, and may
    /// come before this process has noticed the signal.
    /// </summary>
    private static bool IsInterrupted(Exception exception, CancellationToken cancellationToken) =>
        cancellationToken.IsCancellationRequested
        || (exception is FFmpegException && cancellationToken.WaitHandle.WaitOne(SignalDelay));

    private static int Fail(string message, int exitCode)
    {
        Console.Error.WriteLine($"sora: {message}");
        return exitCode;
    }

    private static string Describe(Exception exception, ParseResult line)
    {
        if (line.GetValue(Verbose))
            return exception.ToString();
        if (exception is SoraException)
            return exception.Message;
        // The engine's errors go on with a stack of their own: the first line is the sentence.
        string sentence = exception.Message.Split('\n', 2)[0].Trim().TrimEnd('.');
        return $"{(sentence.Length > 0 ? sentence : exception.GetType().Name)} (--verbose shows more).";
    }
}
