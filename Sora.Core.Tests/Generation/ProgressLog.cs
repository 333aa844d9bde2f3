namespace Sora.Tests.Generation;

/// <summary>Remembers every report, on the thread that makes it, and can act on one.</summary>
internal sealed class ProgressLog(Action<GenerationProgress>? then = null) : IProgress<GenerationProgress>
{
    private readonly Lock _gate = new();
    private readonly List<GenerationProgress> _reports = [];

    public (GenerationStage Stage, int Step, int StepCount)[] Steps
    {
        get
        {
            lock (_gate)
                return [.. _reports.Select(report => (report.Stage, report.Step, report.StepCount))];
        }
    }

    /// <summary>Cancels when a stage has come so far.</summary>
    public static ProgressLog Cancelling(CancellationTokenSource source, GenerationStage stage, int step) =>
        new(report =>
        {
            if (report.Stage == stage && report.Step >= step)
                source.Cancel();
        });

    public void Report(GenerationProgress value)
    {
        lock (_gate)
            _reports.Add(value);
        then?.Invoke(value);
    }
}
