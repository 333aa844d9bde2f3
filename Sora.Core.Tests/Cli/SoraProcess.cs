using System.Diagnostics;
using System.Runtime.InteropServices;
using Xunit;

namespace Sora.Tests.Cli;

/// <summary>Runs the built <c>sora</c> as a person does: a process with arguments, output and an exit code.</summary>
internal static partial class SoraProcess
{
    public const int Interrupt = 2;
    public const int Terminate = 15;

    public sealed record Result(int ExitCode, string Output, string Error);

    /// <summary>
    /// Runs to the end. With <paramref name="terminateWhen"/>, sends <paramref name="signal"/> once a line of the error
    /// stream contains that text.
    /// </summary>
    public static async Task<Result> RunAsync(string[] arguments, string? folder = null, string? terminateWhen = null,
        IReadOnlyDictionary<string, string>? environment = null, int signal = Terminate)
    {
        string dotnet = Environment.ProcessPath is { } host && Path.GetFileName(host) == "dotnet" ? host : "dotnet";
        // Children of a shell's background job ignore SIGINT, Ctrl-C's signal, unless somebody turns it on again.
        string[] program = signal == Interrupt ? ["env", "--default-signal=INT", dotnet] : [dotnet];
        var start = new ProcessStartInfo(program[0], program[1..])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            WorkingDirectory = folder ?? Path.GetTempPath(),
        };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "sora.dll"));
        foreach (string argument in arguments)
            start.ArgumentList.Add(argument);
        foreach ((string name, string value) in environment ?? new Dictionary<string, string>())
            start.Environment[name] = value;

        using Process process = Process.Start(start)!;
        process.StandardInput.Close();
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        var error = new StringWriter();
        while (await process.StandardError.ReadLineAsync() is { } line)
        {
            error.WriteLine(line);
            if (terminateWhen is not null && line.Contains(terminateWhen, StringComparison.Ordinal))
            {
                terminateWhen = null;
                Assert.Equal(0, Kill(process.Id, signal));
            }
        }
        await process.WaitForExitAsync();
        return new Result(process.ExitCode, await output, error.ToString());
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int processId, int signal);
}
