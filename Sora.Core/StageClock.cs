using System.Diagnostics;

namespace Sora;

/// <summary>Where the time of a generation goes, reported as it passes.</summary>
internal sealed class StageClock(IProgress<GenerationProgress>? progress)
{
    private readonly List<StageTiming> _timings = [];
    private GenerationStage _stage;
    private long _start;
    private bool _running;

    /// <summary>The stages so far; the running one counts up to now.</summary>
    public IReadOnlyList<StageTiming> Timings
    {
        get
        {
            Stop();
            return _timings;
        }
    }

    /// <summary>Ends the running stage and begins another.</summary>
    public void Begin(GenerationStage stage, int stepCount = 0)
    {
        Stop();
        (_stage, _start, _running) = (stage, Stopwatch.GetTimestamp(), true);
        Report(0, stepCount);
    }

    /// <summary>Reports steps done in the running stage.</summary>
    public void Report(int step, int stepCount) =>
        progress?.Report(GenerationProgress.At(_stage, step, stepCount, Stopwatch.GetElapsedTime(_start)));

    private void Stop()
    {
        if (_running)
            _timings.Add(new(_stage, Stopwatch.GetElapsedTime(_start)));
        _running = false;
    }
}
