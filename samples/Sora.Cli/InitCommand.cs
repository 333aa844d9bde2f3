using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Sora.Weights;

namespace Sora.Cli;

/// <summary><c>sora init</c>: a published model with random weights.</summary>
internal static class InitCommand
{
    private static readonly Argument<string> s_name = new("NAME") { Description = $"The model: {string.Join(", ", PublishedModel.All.Select(model => model.Name))}" };

    private static readonly Option<string?> s_out = Setting.Text("--out", "DIR", "The folder to make; it must not exist or be empty");

    private static readonly Option<string?> s_only = Setting.Text("--only", "PART", "Write this part alone, such as transformer [default: all]");

    private static readonly Option<long?> s_seed = Setting.Number<long>("--seed", "N", "The weights are a function of it [default: 0]");

    private static readonly Option<string?> s_precision = Setting.Text("--precision", "NAME", "Weights in bf16, f16 or f32 [default: bf16]");

    private static readonly Option<string?> s_quantization = Setting.Text("--quantization", "NAME",
        "Transformers as a GGUF file whose matrices are q8_0 or q4_k; the rest as --precision says [default: none]");

    public static Command Create()
    {
        var command = new Command("init", "Writes a published model with random weights, for tests and for training from nothing.") { s_name, s_out, s_only, s_seed, s_precision, s_quantization };
        command.SetAction((line, cancellationToken) => Task.Run(() => Run(line, cancellationToken), CancellationToken.None));
        return command;
    }

    private static int Run(ParseResult line, CancellationToken cancellationToken)
    {
        var model = PublishedModel.Find(line.GetValue(s_name)!);
        string folder = line.GetValue(s_out) ?? throw new SoraException("--out is missing; name the folder to make.");
        WeightPrecision precision = WeightPrecisions.Parse(line.GetValue(s_precision) ?? "bf16");
        WeightQuantization? quantization = line.GetValue(s_quantization) is { } quantized ? WeightQuantizations.Parse(quantized) : null;
        string? only = line.GetValue(s_only);
        long start = Stopwatch.GetTimestamp();
        long bytes = RandomCheckpoint.Write(model, folder, precision, (ulong)(line.GetValue(s_seed) ?? 0), only, quantization, cancellationToken);
        TimeSpan time = Stopwatch.GetElapsedTime(start);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{folder}: {model.Title}{(only is null ? "" : $", {only} alone")}, random weights, {bytes / 1e9:0.00} GB in {TimeText.Of(time)} ({bytes / 1e6 / Math.Max(time.TotalSeconds, 1e-3):0} MB/s)"));
        if (only is null)
            Console.WriteLine("The tokenizer is a small one of Sora's own: put the published spiece.model in its place to keep the published token numbers.");
        return ExitCode.Done;
    }
}
