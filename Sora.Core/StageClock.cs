using System.Diagnostics;
using Sora.Frames;

namespace Sora;

/// <summary>Where the time of a generation goes, reported as it passes.</summary>
internal sealed class StageClock(IProgress<GenerationProgress>? progress)
{
    private readonly List<StageTiming> _timings = [];
    private readonly List<(string Note, int? Video)> _notes = [];
    private readonly Dictionary<GenerationStage, long> _begun = [];
    private GenerationStage _stage;
    private (int Index, int Count) _window = (0, 1);
    private long _start;
    private bool _running;
    private int _step;
    private int _stepCount;

    /// <summary>The stages so far; the running one counts up to now.</summary>
    public IReadOnlyList<StageTiming> Timings
    {
        get
        {
            Stop();
            return _timings;
        }
    }

    /// <summary>What the person who asked should know of a video of the batch, a sentence each.</summary>
    public IReadOnlyList<string> NotesOf(int video) => [.. _notes.Where(note => note.Video is null || note.Video == video).Select(note => note.Note)];

    /// <summary>Adds a note, once, and reports it.</summary>
    /// <param name="note">The sentence.</param>
    /// <param name="video">The video of the batch that it is about; null: all.</param>
    public void Note(string note, int? video = null)
    {
        if (_notes.Contains((note, video)))
            return;
        _notes.Add((note, video));
        progress?.Report(GenerationProgress.At(_stage, _step, _stepCount, _running ? Stopwatch.GetElapsedTime(_start) : TimeSpan.Zero) with { Note = note });
    }

    /// <summary>Ends the running stage and begins another, or goes on with one.</summary>
    /// <param name="stage">The stage.</param>
    /// <param name="stepCount">All its steps, in a window the denoising steps of that window; 0 where they cannot be counted.</param>
    /// <param name="step">The steps that are done.</param>
    public void Begin(GenerationStage stage, int stepCount = 0, int step = 0)
    {
        Stop();
        (_stage, _start, _running) = (stage, Stopwatch.GetTimestamp(), true);
        if (_window.Count == 1 || !_begun.ContainsKey(stage))
            _begun[stage] = _start;
        Report(step, stepCount);
    }

    /// <summary>
    /// Says that the following stages are those of a window, of several with as many steps each. Their denoising steps are
    /// reported as steps of all windows, and the time of a stage as that since it first began: what happens in between
    /// happens for every window, so the time left is that of the whole video.
    /// </summary>
    public void BeginWindow(int index, int count) => _window = (index, count);

    /// <summary>Loads what the running stage needs. The time is counted as loading, and the stage's clock stands still meanwhile.</summary>
    public T Load<T>(Func<T> load)
    {
        long start = Stopwatch.GetTimestamp();
        progress?.Report(GenerationProgress.At(GenerationStage.LoadingModel, 0, 0, TimeSpan.Zero));
        T loaded = load();
        Add(GenerationStage.LoadingModel, Stopwatch.GetElapsedTime(start));
        _start += Stopwatch.GetTimestamp() - start;
        Report(_step, _stepCount);
        return loaded;
    }

    /// <summary>Reports steps done in the running stage, with pictures of what is being made where there are some.</summary>
    public void Report(int step, int stepCount, IReadOnlyList<VideoFrame>? previews = null)
    {
        (_step, _stepCount) = (step, stepCount);
        // Between windows it would come and go.
        if (_window.Count > 1 && stepCount == 0)
            return;
        if (_stage == GenerationStage.Denoising)
            (step, stepCount) = (step + (_window.Index * stepCount), _window.Count * stepCount);
        GenerationProgress now = GenerationProgress.At(_stage, step, stepCount, Stopwatch.GetElapsedTime(_begun[_stage]));
        progress?.Report(previews is null ? now : now with { Previews = previews });
    }

    // The stages of all windows are one.
    private void Stop()
    {
        if (!_running)
            return;
        Add(_stage, Stopwatch.GetElapsedTime(_start));
        _running = false;
    }

    private void Add(GenerationStage stage, TimeSpan elapsed)
    {
        int known = _window.Count == 1 ? -1 : _timings.FindIndex(timing => timing.Stage == stage);
        if (known < 0)
            _timings.Add(new(stage, elapsed));
        else
            _timings[known] = _timings[known] with { Elapsed = _timings[known].Elapsed + elapsed };
    }
}
