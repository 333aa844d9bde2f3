using Sora.Frames;

namespace Sora;

/// <summary>How far a generation has come.</summary>
/// <param name="Stage">What it is busy with.</param>
/// <param name="Step">Steps of this stage that are done, 0 to <paramref name="StepCount"/>.</param>
/// <param name="StepCount">All steps of this stage; 0 where they cannot be counted.</param>
/// <param name="Elapsed">Time since the stage began.</param>
/// <param name="Remaining">Time until the stage ends, going by the steps so far; null before the first is done.</param>
public readonly record struct GenerationProgress(
    GenerationStage Stage, int Step, int StepCount, TimeSpan Elapsed, TimeSpan? Remaining)
{
    /// <summary>
    /// A sentence for the person who asked, such as that the end of the prompt is not seen; each is reported once, when it
    /// turns up. Null in the reports of steps. A finished <see cref="GeneratedVideo"/> has them all; those who stream read them here.
    /// </summary>
    public string? Note { get; init; }

    /// <summary>
    /// What each video of the batch is going to be, as far as this step can tell: a frame from its middle, small, of the predicted
    /// data in about its colours. Empty unless <see cref="VideoGeneratorOptions.PreviewEvery"/> asks for it, and between those steps.
    /// </summary>
    public IReadOnlyList<VideoFrame> Previews { get => field ?? []; init; }

    /// <summary>Progress of a stage whose remaining steps take as long, each, as those that are done.</summary>
    public static GenerationProgress At(GenerationStage stage, int step, int stepCount, TimeSpan elapsed) =>
        new(stage, step, stepCount, elapsed,
            step > 0 && step <= stepCount ? elapsed * (stepCount - step) / step : null);
}
