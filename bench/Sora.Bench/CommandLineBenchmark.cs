using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Sora.Bench;

/// <summary>What a person at a terminal waits for: <c>./sora generate</c> from its start to its end, as a process.</summary>
internal static partial class CommandLineBenchmark
{
    private const string Name = "./sora generate, 64x64, 17 frames, 20 steps, guidance 4";

    public static IEnumerable<Measurement> Run(bool quick)
    {
        if ((quick ? Repository.TinyModel : Repository.PocketModel) is not { } model)
            return [Measurement.Missing(Name, "s", "models/pocket is missing")];
        string folder = Directory.CreateTempSubdirectory("sora-bench").FullName;
        try
        {
            return Measure(model, Path.Combine(folder, "video.mp4"), quick);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static Measurement[] Measure(string model, string output, bool quick)
    {
        string[] size = ["--size", "64x64", "--frames", "17"], many = ["--steps", "20", "--guidance", "4"];
        if (quick)
        {
            ModelLimits limits = VideoGenerator.ReadLimits(model);
            (size, many) = (["--size", $"{2 * limits.SpatialStride}x{2 * limits.SpatialStride}", "--frames", $"{limits.TemporalStride + 1}"], ["--steps", "2", "--guidance", "4"]);
        }
        string[] anySize = ["generate", "a red fish swims left in the deep sea", "--seed", "1", "--model", model, "-o", output], arguments = [.. anySize, .. size];
        Generate(arguments); // the first call may have to build
        // In turns, so that both meet the same machine.
        (Call Few, Call Many)[] pairs = [.. Enumerable.Range(0, quick ? 1 : 5).Select(_ => (Generate(arguments), Generate([.. arguments, .. many])))];
        Call[] calls = [.. pairs.Select(pair => pair.Many)];
        Call[] largest = [.. Enumerable.Range(0, quick ? 1 : 3).Select(_ => Generate(quick ? arguments : [.. anySize, "--size", "128x128", "--frames", "33"]))];
        return
        [
            new(Name, Median.Of(calls.Select(c => c.Total)), "s", Most: 10),
            new("./sora generate as the model comes, in its few steps, 64x64, 17 frames", Median.Of(pairs.Select(pair => pair.Few.Total)), "s", Most: 5),
            new("the same, 128x128, 33 frames", Median.Of(largest.Select(c => c.Total)), "s", Most: 30),
            new("64x64, 17 frames as the model comes, in its few steps / in twenty", Median.Of(pairs.Select(pair => pair.Few.Total / pair.Many.Total)), ""),
            new("loading the model with its LoRA for few steps", Median.Of(pairs.Select(pair => pair.Few.Loading)), "s", Most: 1),
            new("loading the model, of that", Median.Of(calls.Select(c => c.Loading)), "s", Most: 1),
            new("from the command to the start of generating", Median.Of(calls.Select(c => c.UntilGenerating)), "s", Most: 3),
            new("transformer and VAE, as a share of the time from there to the end", Median.Of(calls.Select(c => c.Networks / (c.Total - c.UntilGenerating))), "%", Least: 0.9),
        ];
    }

    private static Call Generate(string[] arguments)
    {
        long start = Stopwatch.GetTimestamp();
        TimeSpan? generating = null;
        var said = new List<string>();
        var command = new ProcessStartInfo(Path.Combine(Repository.Root, "sora"), arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        using Process process = Process.Start(command)!;
        // Without a terminal a line appears on the error stream when a stage begins.
        process.ErrorDataReceived += (_, line) =>
        {
            if (line.Data is not { } text)
                return;
            if (text.StartsWith("Encoding text", StringComparison.Ordinal))
                generating ??= Stopwatch.GetElapsedTime(start);
            said.Add(text);
        };
        process.BeginErrorReadLine();
        string summary = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        TimeSpan total = Stopwatch.GetElapsedTime(start);
        Dictionary<string, double> stages = StageTime.Matches(summary).ToDictionary(match => match.Groups[1].Value, match => double.Parse(match.Groups[2].Value, CultureInfo.InvariantCulture));
        if (process.ExitCode != 0 || generating is not { } begun || stages.Count < 3)
            throw new InvalidOperationException($"./sora ended with {process.ExitCode}: {string.Join(' ', said)} {summary}");
        return new(total.TotalSeconds, stages["loading model"], begun.TotalSeconds, stages["denoising"] + stages["decoding"]);
    }

    private readonly record struct Call(double Total, double Loading, double UntilGenerating, double Networks);

    [GeneratedRegex("(loading model|denoising|decoding) ([0-9.]+) s", RegexOptions.CultureInvariant)]
    private static partial Regex StageTime { get; }
}
