using System.Diagnostics;
using System.Globalization;

namespace Sora.Training.Metrics;

/// <summary>Tells how a training goes: to <c>metrics.jsonl</c>, to TensorBoard, and a line of text now and then.</summary>
internal sealed class TrainingRecorder : IDisposable
{
    private static readonly TimeSpan LongestSilence = TimeSpan.FromMinutes(1);

    private readonly RunPlan _plan;
    private readonly Action<string> _log;
    private readonly MetricsFile _metrics;
    private readonly EventFile _events;
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly Stopwatch _sinceLine = Stopwatch.StartNew();
    private double _averageLoss;
    private double _largestNorm;
    private long _sizeSinceLine;

    /// <summary>What is told about.</summary>
    /// <param name="Folder">The run folder.</param>
    /// <param name="Name">What lines begin with.</param>
    /// <param name="Unit">What is counted, in the plural: tokens.</param>
    /// <param name="Steps">All steps of the training.</param>
    /// <param name="Taken">The steps that were taken before.</param>
    /// <param name="Seconds">The seconds that these took.</param>
    /// <param name="LineSteps">Steps between lines.</param>
    public readonly record struct RunPlan(string Folder, string Name, string Unit, long Steps, long Taken, double Seconds, int LineSteps);

    /// <summary>What a step gave.</summary>
    /// <param name="Number">Which, from 1.</param>
    /// <param name="Loss">The loss before the weights moved.</param>
    /// <param name="LearningRate">The rate.</param>
    /// <param name="GradientNorm">The length of the gradient before it was clipped.</param>
    /// <param name="Size">How much was learned from, in the unit.</param>
    /// <param name="Seconds">How long it took.</param>
    public readonly record struct StepResult(long Number, double Loss, double LearningRate, double GradientNorm, long Size, double Seconds);

    /// <summary>Opens the files; what they say of later steps than were taken is dropped.</summary>
    /// <exception cref="SoraException">A file cannot be written.</exception>
    public TrainingRecorder(RunPlan plan, Action<string> log)
    {
        (_plan, _log) = (plan, log);
        _metrics = MetricsFile.Open(Path.Combine(plan.Folder, "metrics.jsonl"), plan.Taken);
        _events = new(plan.Folder, plan.Taken);
    }

    /// <summary>The seconds of training so far, those before interruptions included.</summary>
    public double Seconds => _plan.Seconds + _clock.Elapsed.TotalSeconds;

    /// <summary>Tells of a step.</summary>
    public void Step(StepResult step)
    {
        double rate = step.Size / Math.Max(step.Seconds, 1e-9);
        _metrics.Append(step.Number, row =>
        {
            row.WriteNumber("loss", step.Loss);
            row.WriteNumber("learning_rate", step.LearningRate);
            row.WriteNumber("gradient_norm", step.GradientNorm);
            row.WriteNumber($"{_plan.Unit}_per_second", Math.Round(rate, 1));
            row.WriteNumber("seconds", Math.Round(Seconds, 3));
        });
        _events.Add(step.Number,
        [
            ("train/loss", step.Loss), ("train/learning_rate", step.LearningRate), ("train/gradient_norm", step.GradientNorm),
            ($"train/{_plan.Unit}_per_second", rate),
        ]);
        _averageLoss = _averageLoss == 0 ? step.Loss : (0.98 * _averageLoss) + (0.02 * step.Loss);
        _largestNorm = Math.Max(_largestNorm, step.GradientNorm);
        _sizeSinceLine += step.Size;
        if (step.Number % _plan.LineSteps == 0 || _sinceLine.Elapsed > LongestSilence)
            Line(step.Number);
    }

    /// <summary>Tells of a validation: numbers by name.</summary>
    public void Validation(long step, IReadOnlyList<(string Name, double Value)> values)
    {
        _metrics.Append(step, row =>
        {
            row.WriteStartObject("validation");
            foreach ((string name, double value) in values)
            {
                // JSON has no word for what is no number.
                if (double.IsFinite(value))
                    row.WriteNumber(name, value);
                else
                    row.WriteNull(name);
            }
            row.WriteEndObject();
        });
        _events.Add(step, values.Select(v => ($"validation/{v.Name}", v.Value)));
        _log($"{_plan.Name} validation at step {step}: {string.Join(", ", values.Select(v => string.Create(CultureInfo.InvariantCulture, $"{v.Name} {v.Value:F4}")))}");
    }

    /// <summary>Tells of a picture of samples.</summary>
    public void Samples(long step, string path, PngImage image)
    {
        _metrics.Append(step, row => row.WriteString("samples", Path.GetRelativePath(_plan.Folder, path)));
        _events.Add(step, "samples", image);
        _log($"{_plan.Name} samples at step {step}: {path}");
    }

    /// <summary>Closes the files.</summary>
    public void Dispose()
    {
        _metrics.Dispose();
        _events.Dispose();
    }

    private void Line(long step)
    {
        TimeSpan left = _clock.Elapsed / Math.Max(1, step - _plan.Taken) * (_plan.Steps - step);
        _log(string.Create(CultureInfo.InvariantCulture,
            $"{_plan.Name} step {step}/{_plan.Steps} loss {_averageLoss:F4} gradient {_largestNorm:G3} {_sizeSinceLine / _sinceLine.Elapsed.TotalSeconds:F0} {_plan.Unit}/s, {Durations.Text(left)} left"));
        _sinceLine.Restart();
        (_sizeSinceLine, _largestNorm) = (0, 0);
    }
}
