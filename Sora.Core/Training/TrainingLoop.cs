using System.Diagnostics;
using System.Globalization;
using Sora.Training.Metrics;
using Sora.Weights;

namespace Sora.Training;

/// <summary>
/// What all trainings share: the gradient of one or more batches, clipped; a step of Muon and AdamW at a rate with warm-up
/// and cosine; the average of the weights; validation, samples and metrics; checkpoints that a kill at any moment leaves whole.
/// </summary>
internal sealed class TrainingLoop : IDisposable
{
    private readonly ITrainingTask _task;
    private readonly TrainingLoopOptions _options;
    private readonly IReadOnlyList<string> _notes;
    private readonly AdamW _adam;
    private readonly Muon _muon;
    private readonly ExponentialAverage _average;
    private readonly Stopwatch _sinceCheckpoint = new();
    private readonly Stopwatch _sinceValidation = new();
    private long? _savedStep;
    private double _savedSeconds;
    private int _checkpoints;

    /// <summary>Makes the optimisers' state, or goes on from the checkpoint where there is one.</summary>
    /// <exception cref="SoraException">The checkpoint is damaged or belongs to another training.</exception>
    public TrainingLoop(ITrainingTask task, TrainingLoopOptions options)
    {
        (_task, _options) = (task, options);
        _notes = options.Settings.Compare(options.StatePath);
        if (Writes)
            AtomicFile.RemoveAbandoned(options.StatePath);
        _muon = new(task.Parameters.Where(p => task.IsHidden(p.Key, p.Value)));
        _adam = new(task.Parameters.Where(p => !task.IsHidden(p.Key, p.Value)), beta2: options.AdamBeta2, decay: 0.01);
        _average = new(task.Parameters);
        Restore();
        foreach (Parameter parameter in task.Parameters.Values)
            parameter.requires_grad = true;
    }

    /// <summary>The number of steps taken.</summary>
    public long Steps => _adam.Steps;

    /// <summary>Told the number of steps after each.</summary>
    public Action<long>? StepDone { get; set; }

    // Of several trainings side by side one writes.
    private bool Writes => _options.Exchange is null or { Rank: 0 };

    /// <summary>Tells what it will cost, then trains to the last step.</summary>
    /// <exception cref="SoraException">The loss or a gradient is not finite, or a file cannot be written; the last checkpoint stays.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled; the checkpoint holds the last step.</exception>
    public void Run(Action<string> log, CancellationToken cancellationToken)
    {
        foreach (string note in _notes)
            log(note);
        if (_savedStep is { } saved)
            log(string.Create(CultureInfo.InvariantCulture, $"{_options.Name} goes on from the checkpoint of step {saved}"));
        if (Steps < _options.Steps)
        {
            foreach (string line in Measure().Lines())
                log(line);
        }
        using TrainingRecorder? recorder = !Writes ? null : new(
            new(_options.RunFolder, _options.Name, _task.Unit, _options.Steps, Steps, _savedSeconds, _options.LogSteps), log);
        _sinceCheckpoint.Restart();
        _sinceValidation.Restart();
        while (Steps < _options.Steps)
        {
            bool stop = IsStopped(cancellationToken);
            if (stop || _sinceCheckpoint.Elapsed.TotalMinutes > _options.CheckpointMinutes)
                Checkpoint(recorder, cancellationToken);
            if (stop)
                EndTogether(cancellationToken);
            TrainingRecorder.StepResult result = Step();
            recorder?.Step(result);
            StepDone?.Invoke(Steps);
            Validate(recorder);
        }
        Checkpoint(recorder, cancellationToken);
        if (Writes)
            WithAverages(() => _task.Finished(log));
    }

    /// <summary>Frees the optimisers' state and the averages.</summary>
    public void Dispose()
    {
        _adam.Dispose();
        _muon.Dispose();
        _average.Dispose();
    }

    // A step is taken and undone, from a checkpoint that is needed anyway: whether it can be written shows now and not in an hour.
    private TrainingCost Measure()
    {
        if (_savedStep is null && Writes)
            Save(0);
        TrainingRecorder.StepResult step = Step();
        // The first of a process prepares kernels.
        if ((_options.Exchange?.Average(step.Seconds) ?? step.Seconds) < 5 && Steps < _options.Steps)
            step = Step();
        Restore();
        return new()
        {
            Name = _options.Name,
            Unit = _task.Unit,
            Steps = _options.Steps - Steps,
            SizePerStep = step.Size,
            OperationsPerStep = _task.Operations * _options.Accumulation,
            SecondsPerStep = step.Seconds,
            Parameters = _task.Parameters.Values.Sum(p => p.NumberOfElements),
            CheckpointBytes = Writes ? new FileInfo(_options.StatePath).Length : 0,
        };
    }

    private TrainingRecorder.StepResult Step()
    {
        long start = Stopwatch.GetTimestamp(), step = Steps;
        (double loss, long size) = AddGradients(step);
        _options.Exchange?.Average(_task.Parameters);
        Require(loss, "The loss");
        double norm = GradientClipping.Apply(_task.Parameters.Values, _options.ClipNorm);
        Require(norm, "The gradient's length");
        double rate = LearningRate.At(step, _options.Steps, _options.LearningRate, _options.WarmupSteps);
        _muon.Step(rate);
        _adam.Step(rate * _options.AdamShare);
        _average.Update(Math.Min(_options.AverageDecay, (step + 1.0) / (step + 10)));
        foreach (Parameter parameter in _task.Parameters.Values)
            parameter.grad = null;
        return new(Steps, loss, rate, norm, size, Stopwatch.GetElapsedTime(start).TotalSeconds);
    }

    // The mean of the losses of the step's batches, whose gradients are added up.
    private (double Loss, long Size) AddGradients(long step)
    {
        int parts = _options.Accumulation, ranks = _options.Exchange?.Count ?? 1, rank = _options.Exchange?.Rank ?? 0;
        double total = 0;
        long size = 0;
        for (int part = 0; part < parts; part++)
        {
            using DisposeScope scope = NewDisposeScope();
            Tensor loss = _task.Loss((((step * parts) + part) * ranks) + rank);
            if (part == parts - 1)
                _options.Exchange?.BeginLastBackward();
            _task.Backward(parts == 1 ? loss : loss / parts);
            total += loss.cpu().item<float>() / parts;
            size += _task.Size;
        }
        return (_options.Exchange?.Average(total) ?? total, size);
    }

    // Where several train they stop together, wherever the signal came first.
    private bool IsStopped(CancellationToken cancellationToken) =>
        _options.Exchange is { } exchange
            ? exchange.Average(cancellationToken.IsCancellationRequested ? 1 : 0) > 0
            : cancellationToken.IsCancellationRequested;

    // The end of one ends all: none goes before the checkpoint is written.
    private void EndTogether(CancellationToken cancellationToken)
    {
        _options.Exchange?.Average(0);
        throw new OperationCanceledException(cancellationToken);
    }

    // Before the weights are touched, so that what is not a number never enters them.
    private void Require(double value, string what)
    {
        if (double.IsFinite(value))
            return;
        throw new SoraException(string.Create(CultureInfo.InvariantCulture,
            $"{what} is {value} at step {Steps + 1}; {Kept()}. A learning_rate below {_options.LearningRate} may help."));
    }

    private void Validate(TrainingRecorder? recorder)
    {
        bool due = (_options.ValidationSteps > 0 && Steps % _options.ValidationSteps == 0)
            || (_options.ValidationMinutes > 0 && _sinceValidation.Elapsed.TotalMinutes > _options.ValidationMinutes)
            || (_options.Validates && Steps == _options.Steps);
        if (recorder is null || !due)
            return;
        WithAverages(() =>
        {
            // Nothing where no clips are kept apart.
            if (_task.Validate() is { Count: > 0 } values)
                recorder.Validation(Steps, values);
        });
        _sinceValidation.Restart();
    }

    private void Checkpoint(TrainingRecorder? recorder, CancellationToken cancellationToken)
    {
        _sinceCheckpoint.Restart();
        if (recorder is null)
            return;
        Save(recorder.Seconds);
        WithAverages(_task.CheckpointWritten);
        bool last = Steps == _options.Steps;
        if (_options.SampleCheckpoints == 0 || cancellationToken.IsCancellationRequested || (++_checkpoints % _options.SampleCheckpoints != 0 && !last))
            return;
        string path = Path.Combine(_options.RunFolder, "samples", string.Create(CultureInfo.InvariantCulture, $"step-{Steps:D8}.png"));
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        if (_task.WriteSamples(path, cancellationToken) is { } picture)
            recorder.Samples(Steps, path, picture);
    }

    private IEnumerable<(string Name, Tensor Tensor)> State() =>
        _task.Parameters.Select(p => ($"parameters.{p.Key}", (Tensor)p.Value))
            .Concat(_average.State().Select(s => ($"average.{s.Name}", s.Tensor)))
            .Concat(_adam.State().Select(s => ($"adam.{s.Name}", s.Tensor)))
            .Concat(_muon.State().Select(s => ($"muon.{s.Name}", s.Tensor)));

    private void Save(double seconds)
    {
        var metadata = new Dictionary<string, string>
        {
            ["step"] = Steps.ToString(CultureInfo.InvariantCulture),
            ["seconds"] = seconds.ToString("R", CultureInfo.InvariantCulture),
        };
        _options.Settings.AddTo(metadata);
        try
        {
            TrainingState.Save(_options.StatePath, State(), metadata);
        }
        catch (SoraException e)
        {
            throw new SoraException($"{e.Message} {char.ToUpperInvariant(Kept()[0])}{Kept()[1..]}.", e);
        }
        (_savedStep, _savedSeconds) = (Steps, seconds);
    }

    // Of several trainings the first reads its checkpoint, and the others take over its state.
    private void Restore()
    {
        if (Writes && File.Exists(_options.StatePath))
            Load();
        if (_options.Exchange is not { } exchange)
            return;
        using Tensor steps = tensor(new[] { Steps, _savedStep ?? -1 }, [2]);
        exchange.Broadcast(State().Select(s => s.Tensor).Append(steps));
        _adam.Resume(steps.data<long>()[0]);
        _savedStep = steps.data<long>()[1] is >= 0 and var saved ? saved : null;
    }

    private void Load()
    {
        IReadOnlyDictionary<string, string> metadata = TrainingState.Load(_options.StatePath, State());
        _adam.Resume(long.Parse(metadata["step"], CultureInfo.InvariantCulture));
        // Checkpoints of earlier versions do not count the time.
        _savedSeconds = metadata.TryGetValue("seconds", out string? seconds) ? double.Parse(seconds, CultureInfo.InvariantCulture) : 0;
        _savedStep = Steps;
    }

    private string Kept() => _savedStep is { } step
        ? string.Create(CultureInfo.InvariantCulture, $"the checkpoint of step {step} is kept")
        : "there is no checkpoint yet";

    // The averages are what is published.
    private void WithAverages(Action action)
    {
        _average.Swap();
        try
        {
            action();
        }
        finally
        {
            _average.Swap();
        }
    }
}
