using System.ComponentModel;
using System.Diagnostics;
using System.Text;

namespace Sora.Frames;

/// <summary>
/// A running ffmpeg or ffprobe: the one place that starts them. No shell is involved, and the two binary streams are
/// the caller's; the error stream is drained by a thread of its own, so that the process never waits for us, and its
/// last lines are kept. After <see cref="Dispose"/> the process is gone and reaped.
/// </summary>
internal sealed class FFmpegProcess : IDisposable
{
    private const int KeptLines = 20;

    // The error stream ends with the process. Only a child that outlives it (a wrapper script's) can hold it open, and
    // is not worth waiting for.
    private static readonly TimeSpan DrainTime = TimeSpan.FromSeconds(2);

    private readonly Process process;
    private readonly string tool;
    private readonly StreamReader errors;
    private readonly Thread errorReader;
    private readonly Queue<string> lastLines = new();

    private FFmpegProcess(Process process, string tool)
    {
        this.process = process;
        this.tool = tool;
        Input = process.StandardInput.BaseStream;
        Output = process.StandardOutput.BaseStream;
        errors = process.StandardError;
        errorReader = new Thread(ReadErrors) { IsBackground = true, Name = $"{tool} messages" };
        errorReader.Start();
    }

    /// <summary>The process's standard input; writing throws <see cref="IOException"/> once it is dead.</summary>
    public Stream Input { get; }

    /// <summary>The process's standard output.</summary>
    public Stream Output { get; }

    /// <summary>The process's number.</summary>
    public int Id => process.Id;

    /// <summary>Starts an executable.</summary>
    /// <param name="executable">Its full path, from <see cref="FFmpegTools"/>.</param>
    /// <param name="arguments">One string an argument, passed on untouched.</param>
    /// <param name="workingDirectory">Where it runs; empty: where this process does.</param>
    /// <exception cref="SoraException">The file cannot be executed.</exception>
    public static FFmpegProcess Start(string executable, IEnumerable<string> arguments, string workingDirectory = "")
    {
        var start = new ProcessStartInfo(executable, arguments)
        {
            UseShellExecute = false,
            CreateNoWindow = true,
            WorkingDirectory = workingDirectory,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardErrorEncoding = Encoding.UTF8,
        };
        var process = new Process { StartInfo = start };
        try
        {
            process.Start();
        }
        catch (Win32Exception e)
        {
            process.Dispose();
            throw new SoraException($"'{executable}' cannot be started: {e.Message}.", e);
        }

        return new FFmpegProcess(process, Path.GetFileNameWithoutExtension(executable));
    }

    /// <summary>Runs a tool that needs no input to its end, and returns what it printed as text.</summary>
    /// <exception cref="OperationCanceledException">Cancelled; the process was killed.</exception>
    public static (FFmpegExit Exit, string Output) Run(
        string executable, IEnumerable<string> arguments, CancellationToken cancellationToken)
    {
        (FFmpegExit exit, byte[] output) = RunForBytes(executable, arguments, cancellationToken);
        return (exit, Encoding.UTF8.GetString(output));
    }

    /// <summary>Runs a tool that needs no input to its end, and returns what it printed.</summary>
    /// <exception cref="OperationCanceledException">Cancelled; the process was killed.</exception>
    public static (FFmpegExit Exit, byte[] Output) RunForBytes(
        string executable, IEnumerable<string> arguments, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        using FFmpegProcess process = Start(executable, arguments);
        using CancellationTokenRegistration kill = cancellationToken.Register(process.Kill);
        process.Input.Dispose();
        using var output = new MemoryStream();
        process.Output.CopyTo(output);
        FFmpegExit exit = process.WaitForExit();
        cancellationToken.ThrowIfCancellationRequested();
        return (exit, output.ToArray());
    }

    /// <summary>Waits for the end of the process and for its last message.</summary>
    public FFmpegExit WaitForExit()
    {
        // The overload without a limit would also wait, without a limit, for the end of the streams.
        process.WaitForExit(int.MaxValue);
        errorReader.Join(DrainTime);
        lock (lastLines)
        {
            return new FFmpegExit(tool, process.ExitCode, string.Join('\n', lastLines));
        }
    }

    /// <summary>Ends the process and its children at once; does nothing when it has ended.</summary>
    public void Kill() => process.Kill(entireProcessTree: true);

    /// <summary>Kills the process if it still runs, waits for its end and frees the streams.</summary>
    public void Dispose()
    {
        Kill();
        WaitForExit();
        Input.Dispose();
        Output.Dispose();
        if (!errorReader.IsAlive)
        {
            errors.Dispose();
        }

        process.Dispose();
    }

    private void ReadErrors()
    {
        while (errors.ReadLine() is string line)
        {
            lock (lastLines)
            {
                if (lastLines.Count == KeptLines)
                {
                    lastLines.Dequeue();
                }

                lastLines.Enqueue(line);
            }
        }
    }
}
