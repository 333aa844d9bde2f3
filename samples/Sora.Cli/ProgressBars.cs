using Spectre.Console;
using Spectre.Console.Rendering;

namespace Sora.Cli;

/// <summary>Progress on a terminal: a bar for each stage, with its step and the time left, and previews where there are some.</summary>
internal sealed class ProgressBars(ProgressContext context, PreviewPicture preview) : IProgress<GenerationProgress>
{
    private readonly Lock gate = new();
    // A long video comes back to its stages with each window.
    private readonly Dictionary<GenerationStage, ProgressTask> tasks = [];
    private ProgressTask? task;

    public void Report(GenerationProgress value)
    {
        lock (gate)
        {
            if (!tasks.TryGetValue(value.Stage, out ProgressTask? current) || current.IsFinished)
                tasks[value.Stage] = current = context.AddTask(StageName.Of(value.Stage));
            if (task != current)
                Finish();
            task = current;
            if (value.Previews.Count > 0)
                preview.Previews = value.Previews;
            // An uncounted stage shows a moving bar rather than a number that means nothing.
            task.IsIndeterminate = value.StepCount == 0;
            task.MaxValue = Math.Max(value.StepCount, 1);
            task.Value = value.Step;
            task.State.Update<Latest>(nameof(Latest), _ => new Latest(value));
        }
    }

    private void Finish()
    {
        if (task is null || (!task.IsIndeterminate && task.Value < task.MaxValue))
            return;
        task.IsIndeterminate = false;
        task.Value = task.MaxValue;
        task.StopTask();
    }

    private readonly record struct Latest(GenerationProgress Progress);

    /// <summary>The step, as 5/20.</summary>
    internal sealed class StepColumn : ProgressColumn
    {
        public override IRenderable Render(RenderOptions options, ProgressTask task, TimeSpan deltaTime)
        {
            GenerationProgress progress = task.State.Get<Latest>(nameof(Latest)).Progress;
            return new Markup(progress.StepCount > 0 ? $"{progress.Step}/{progress.StepCount}" : "");
        }
    }

    /// <summary>The time that is left, less what has passed since it was reported.</summary>
    internal sealed class TimeLeftColumn : ProgressColumn
    {
        public override IRenderable Render(RenderOptions options, ProgressTask task, TimeSpan deltaTime)
        {
            GenerationProgress progress = task.State.Get<Latest>(nameof(Latest)).Progress;
            if (task.IsFinished || progress.Remaining is not { } remaining)
                return new Markup("");
            TimeSpan sinceReport = (task.ElapsedTime ?? TimeSpan.Zero) - progress.Elapsed;
            TimeSpan left = remaining - (sinceReport > TimeSpan.Zero ? sinceReport : TimeSpan.Zero);
            return new Markup(left > TimeSpan.Zero ? $"{TimeText.Of(left)} left" : "");
        }
    }
}
