namespace Sora.Cli;

/// <summary>
/// Progress where there is no terminal, in a log: a line when a stage begins, and then as many as a reader of the log can
/// use, one every few seconds; previews, which somebody asked for, at once.
/// </summary>
internal sealed class ProgressLines(TextWriter output, TimeProvider clock) : IProgress<GenerationProgress>
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    // Of a reader that does not tell its width.
    private const int Columns = 80;

    private readonly Lock gate = new();
    // A long video comes back to its stages with each window.
    private readonly HashSet<GenerationStage> begun = [];
    private long lastLine;

    public void Report(GenerationProgress value)
    {
        lock (gate)
        {
            foreach (IReadOnlyList<HalfBlocks.Cell> row in value.Previews.Count == 0 ? [] : HalfBlocks.Rows(value.Previews, Columns))
                output.WriteLine(HalfBlocks.Text(row));
            if (!begun.Add(value.Stage) && clock.GetElapsedTime(lastLine) < Interval)
                return;
            lastLine = clock.GetTimestamp();
            string steps = value.StepCount > 0 ? $" {value.Step}/{value.StepCount}" : "";
            string left = value.Remaining is { } remaining ? $", {TimeText.Of(remaining)} left" : "";
            output.WriteLine($"{StageName.Of(value.Stage)}{steps}{left}");
        }
    }
}
