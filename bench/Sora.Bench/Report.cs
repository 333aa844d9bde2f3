using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace Sora.Bench;

/// <summary>The results as a table for people and as JSON for programs.</summary>
internal static class Report
{
    private static readonly JsonSerializerOptions s_json = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>A Markdown table.</summary>
    public static void Print(IReadOnlyList<Measurement> rows, TextWriter output)
    {
        string[][] cells =
        [
            ["name", "value", "target", "met"],
            .. rows.Select(row => (string[])[row.Name, row.Shown, row.Target, row.Met switch { true => "yes", false => "no", _ => "" }]),
        ];
        int[] widths = [.. Enumerable.Range(0, 4).Select(column => cells.Max(row => row[column].Length))];
        for (int i = 0; i < cells.Length; i++)
        {
            Write(cells[i]);
            if (i == 0)
                Write([.. widths.Select(width => new string('-', width))]);
        }
        foreach (Measurement row in rows.Where(row => row.Note is not null))
            output.WriteLine($"{row.Name}: {row.Note}.");

        void Write(string[] row) =>
            output.WriteLine($"| {string.Join(" | ", row.Select((cell, column) => cell.PadRight(widths[column])))} |");
    }

    /// <summary>Writes the JSON file: the machine, and each row.</summary>
    /// <param name="rows">The rows.</param>
    /// <param name="path">The file.</param>
    /// <param name="others">Rows of an earlier file that stay where these have none of their name.</param>
    public static void Save(IReadOnlyList<Measurement> rows, string path, IReadOnlyList<JsonNode> others)
    {
        HashSet<string> names = [.. rows.Select(row => row.Name)];
        var report = new
        {
            Processor = ProcessorName(),
            Threads = get_num_threads(),
            Engine = typeof(Tensor).Assembly.GetName().Name,
            Device = BenchDevice.Current.ToString(),
            Rows = (object[])[.. others.Where(row => !names.Contains((string)row["name"]!)), .. rows],
        };
        File.WriteAllText(path, JsonSerializer.Serialize(report, s_json) + "\n");
    }

    /// <summary>The rows of a file that was saved; none where there is no file.</summary>
    public static IReadOnlyList<JsonNode> Read(string path) =>
        File.Exists(path) ? [.. JsonNode.Parse(File.ReadAllText(path))!["rows"]!.AsArray().Select(row => row!)] : [];

    private static string? ProcessorName() => File.Exists("/proc/cpuinfo")
        ? File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(':', 2)[1].Trim()
        : null;
}
