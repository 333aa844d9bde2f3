using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Sora.Weights;

namespace Sora.Cli;

/// <summary><c>sora merge</c>: several models of one kind as one, their weights added up.</summary>
internal static class MergeCommand
{
    private static readonly Argument<string[]> s_models = new("MODEL:FACTOR") { Description = "Two or more models' folders, each with its factor; without factors all have the same", Arity = ArgumentArity.OneOrMore };

    private static readonly Option<string?> s_out = Setting.Text("--out", "DIR", "The folder to make; it must not exist or be empty");

    private static readonly Option<string?> s_precision = Setting.Text("--precision", "NAME", "Weights in bf16, f16 or f32 [default: bf16]");

    public static Command Create()
    {
        var command = new Command("merge", "Adds up the weights of models that were trained from one another: a mean, or what one training changed on top of another.") { s_models, s_out, s_precision };
        command.SetAction((line, cancellationToken) => Task.Run(() => Run(line, cancellationToken), CancellationToken.None));
        return command;
    }

    private static int Run(ParseResult line, CancellationToken cancellationToken)
    {
        string folder = line.GetValue(s_out) ?? throw new SoraException("--out is missing; name the folder to make.");
        WeightPrecision precision = WeightPrecisions.Parse(line.GetValue(s_precision) ?? "bf16");
        long start = Stopwatch.GetTimestamp();
        long bytes = MergedCheckpoint.Write(Models(line.GetValue(s_models)!), folder, precision, cancellationToken);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{folder}: {bytes / 1e9:0.00} GB in {TimeText.Of(Stopwatch.GetElapsedTime(start))}"));
        return ExitCode.Done;
    }

    private static (string, double)[] Models(string[] given)
    {
        (string Model, double? Factor)[] models = [.. given.Select(Split)];
        if (models.All(model => model.Factor is null))
            return [.. models.Select(model => (model.Model, 1.0 / models.Length))];
        return models.FirstOrDefault(model => model.Factor is null) is { Model: { } without }
            ? throw new SoraException($"{without} has no factor and others have one; nearest: {without}:{(1 - models.Sum(model => model.Factor ?? 0)).ToString("0.######", CultureInfo.InvariantCulture)}.")
            : [.. models.Select(model => (model.Model, model.Factor!.Value))];
    }

    private static (string, double?) Split(string text)
    {
        int colon = text.LastIndexOf(':');
        return colon > 0 && double.TryParse(text.AsSpan(colon + 1), NumberStyles.Float, CultureInfo.InvariantCulture, out double factor)
            ? (text[..colon], factor) : (text, null);
    }
}
