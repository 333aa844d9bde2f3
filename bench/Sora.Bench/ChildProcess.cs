using System.Diagnostics;
using System.Globalization;

namespace Sora.Bench;

/// <summary>Measurements that need a process of their own: this program, started again.</summary>
internal static class ChildProcess
{
    /// <summary>The argument with which this program does one of them: its name and a value follow.</summary>
    public const string Argument = "--child";

    private static readonly Dictionary<string, Func<string, IEnumerable<double>>> s_kinds = new()
    {
        [DecodingMemoryBenchmark.Child] = DecodingMemoryBenchmark.RunChild,
        [AttentionBenchmark.Child] = AttentionBenchmark.RunChild,
        [EstimateBenchmark.Child] = EstimateBenchmark.RunChild,
        [MemoryLimitBenchmark.Child] = MemoryLimitBenchmark.RunChild,
    };

    /// <summary>Runs one in a process of its own and gives its numbers.</summary>
    /// <exception cref="InvalidOperationException">The process failed.</exception>
    public static double[] Run(string kind, string value)
    {
        string dotnet = Environment.ProcessPath is { } host && Path.GetFileName(host) == "dotnet" ? host : "dotnet";
        string[] arguments = [typeof(ChildProcess).Assembly.Location, Argument, kind, value];
        var start = new ProcessStartInfo(dotnet, arguments) { RedirectStandardOutput = true };
        // The runtime ends a process whose compiler, which works beside it, finds no memory: here all is compiled at its first call.
        if (kind == MemoryLimitBenchmark.Child)
            start.Environment["DOTNET_TieredCompilation"] = "0";
        using Process process = Process.Start(start)!;
        string text = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0
            ? [.. text.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(number => double.Parse(number, CultureInfo.InvariantCulture))]
            : throw new InvalidOperationException($"{kind} {value} ended with {process.ExitCode}: {text}");
    }

    /// <summary>Does one in this process and prints its numbers.</summary>
    public static void Answer(string kind, string value) =>
        Console.WriteLine(string.Join(' ', s_kinds[kind](value).Select(number => number.ToString("R", CultureInfo.InvariantCulture))));

    /// <summary>The most resident memory that this process has had, in bytes.</summary>
    public static double PeakMemory
    {
        get
        {
            using var self = Process.GetCurrentProcess();
            return self.PeakWorkingSet64;
        }
    }
}
