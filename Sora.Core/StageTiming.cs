namespace Sora;

/// <summary>The time that one stage of a generation took.</summary>
/// <param name="Stage">The stage.</param>
/// <param name="Elapsed">Its wall-clock time.</param>
public readonly record struct StageTiming(GenerationStage Stage, TimeSpan Elapsed);
