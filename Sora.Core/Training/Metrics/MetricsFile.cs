using System.Buffers;
using System.Text.Json;
using Sora.Weights;

namespace Sora.Training.Metrics;

/// <summary>
/// <c>metrics.jsonl</c>: a JSON object a line, each with its <c>step</c>. A line is handed to the system whole, so that a
/// killed training leaves whole lines.
/// </summary>
internal sealed class MetricsFile : IDisposable
{
    private readonly string _path;
    private readonly FileStream _stream;

    private MetricsFile(string path, FileStream stream) => (_path, _stream) = (path, stream);

    /// <summary>Opens a file to add rows to, and cuts it back to a step: later rows come once more.</summary>
    /// <param name="path">The file; made where it is not there.</param>
    /// <param name="step">The last step whose rows stay.</param>
    /// <exception cref="SoraException">The file cannot be read or written.</exception>
    public static MetricsFile Open(string path, long step)
    {
        try
        {
            if (File.Exists(path))
                CutBack(path, step);
            return new(path, new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.Read));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SoraException($"{path}: cannot be opened: {e.Message}", e);
        }
    }

    /// <summary>Adds a row.</summary>
    /// <param name="step">The number of steps taken.</param>
    /// <param name="write">Writes the row's other properties.</param>
    /// <exception cref="SoraException">The file cannot be written.</exception>
    public void Append(long step, Action<Utf8JsonWriter> write)
    {
        var line = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(line))
        {
            json.WriteStartObject();
            json.WriteNumber("step", step);
            write(json);
            json.WriteEndObject();
        }
        line.Write("\n"u8);
        try
        {
            _stream.Write(line.WrittenSpan);
            _stream.Flush();
        }
        catch (IOException e)
        {
            throw new SoraException($"{_path}: cannot be written: {e.Message}", e);
        }
    }

    /// <summary>Closes the file.</summary>
    public void Dispose() => _stream.Dispose();

    private static void CutBack(string path, long step)
    {
        string[] lines = File.ReadAllLines(path);
        string[] kept = [.. lines.Where(line => StepOf(line) <= step)];
        if (kept.Length == lines.Length)
            return;
        AtomicFile.Write(path, 0, stream =>
        {
            using var writer = new StreamWriter(stream, leaveOpen: true) { NewLine = "\n" };
            foreach (string line in kept)
                writer.WriteLine(line);
        });
    }

    // A line that is not whole, after a power failure, counts as later than every step.
    private static long StepOf(string line)
    {
        try
        {
            using JsonDocument row = JsonDocument.Parse(line);
            return row.RootElement.ValueKind == JsonValueKind.Object && row.RootElement.TryGetProperty("step", out JsonElement step)
                && step.ValueKind == JsonValueKind.Number && step.TryGetInt64(out long number) ? number : long.MaxValue;
        }
        catch (JsonException)
        {
            return long.MaxValue;
        }
    }
}
