using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Sora.Weights;

namespace Sora.Cli;

/// <summary>What the commands that write a model's folder share: where, in which numbers, and what they say when it is done.</summary>
internal static class ModelWriting
{
    private static readonly Option<string?> s_out = Setting.Text("--out", "DIR", "The folder to make; it must not exist or be empty");

    private static readonly Option<string?> s_precision = Setting.Text("--precision", "NAME", "Weights in bf16, f16 or f32 [default: bf16]");

    /// <summary>Gives a command its options, and writes when it is called.</summary>
    /// <param name="command">The command with what is its own.</param>
    /// <param name="write">Writes the folder and returns the bytes of the weights.</param>
    public static Command Of(Command command, Func<ParseResult, string, WeightPrecision, CancellationToken, long> write)
    {
        command.Add(s_out);
        command.Add(s_precision);
        command.SetAction((line, cancellationToken) => Task.Run(() => Run(line, write, cancellationToken), CancellationToken.None));
        return command;
    }

    private static int Run(ParseResult line, Func<ParseResult, string, WeightPrecision, CancellationToken, long> write, CancellationToken cancellationToken)
    {
        string folder = line.GetValue(s_out) ?? throw new SoraException("--out is missing; name the folder to make.");
        WeightPrecision precision = WeightPrecisions.Parse(line.GetValue(s_precision) ?? "bf16");
        long start = Stopwatch.GetTimestamp();
        long bytes = write(line, folder, precision, cancellationToken);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{folder}: {bytes / 1e9:0.00} GB in {TimeText.Of(Stopwatch.GetElapsedTime(start))}"));
        return ExitCode.Done;
    }
}
