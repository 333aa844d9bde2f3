using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Sora.Weights;

namespace Sora.Cli;

/// <summary><c>sora convert</c>: any readable model as a folder in the layout of diffusers.</summary>
internal static class ConvertCommand
{
    private static readonly Argument<string> s_source = new("SOURCE") { Description = "A model's folder of any layout, or a transformer's file" };

    private static readonly Option<string?> s_out = Setting.Text("--out", "DIR", "The folder to make; it must not exist or be empty");

    private static readonly Option<string?> s_precision = Setting.Text("--precision", "NAME", "Weights in bf16, f16 or f32 [default: bf16]");

    public static Command Create()
    {
        var command = new Command("convert", "Writes a model of any layout and number format as a diffusers folder.") { s_source, s_out, s_precision };
        command.SetAction((line, cancellationToken) => Task.Run(() => Run(line, cancellationToken), CancellationToken.None));
        return command;
    }

    private static int Run(ParseResult line, CancellationToken cancellationToken)
    {
        string folder = line.GetValue(s_out) ?? throw new SoraException("--out is missing; name the folder to make.");
        WeightPrecision precision = WeightPrecisions.Parse(line.GetValue(s_precision) ?? "bf16");
        long start = Stopwatch.GetTimestamp();
        long bytes = ConvertedCheckpoint.Write(line.GetValue(s_source)!, folder, precision, cancellationToken);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{folder}: {bytes / 1e9:0.00} GB in {TimeText.Of(Stopwatch.GetElapsedTime(start))}"));
        return ExitCode.Done;
    }
}
