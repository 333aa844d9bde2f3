namespace Sora.Cli;

/// <summary>
/// Progress where there is no terminal, in a log: a line when a stage begins, and then as many as a reader of the log can
/// use, one every few seconds.
/// </summary>
internal sealed class ProgressLines(TextWriter output, TimeProvider clock) : IProgress<GenerationProgress>
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    private readonly Lock gate = new();
    // A long video comes back to its stages with each window.
    private readonly HashSet<GenerationStage> begun = [];
    private long lastLine;

    public void Report(GenerationProgress value)
    {
        lock (gate)
        {
            if (!begun.Add(value.Stage) && clock.GetElapsedTime(lastLine) < Interval)
                return;
            lastLine = clock.GetTimestamp();
            string steps = value.StepCount > 0 ? $" {value.Step}/{value.StepCount}" : "";
            string left = value.Remaining is { } remaining ? $", {TimeText.Of(remaining)} left" : "";
            output.WriteLine($"{StageName.Of(value.Stage)}{steps}{left}");
        }
    }
}
