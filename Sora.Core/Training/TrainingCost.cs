using System.Diagnostics;
using System.Globalization;

namespace Sora.Training;

/// <summary>What a training will take, from one measured step.</summary>
internal sealed record TrainingCost
{
    /// <summary>What lines begin with.</summary>
    public required string Name { get; init; }

    /// <summary>What a step learns from, in the plural: tokens.</summary>
    public required string Unit { get; init; }

    /// <summary>The steps that are left.</summary>
    public required long Steps { get; init; }

    /// <summary>How much the measured step learned from, in the unit.</summary>
    public required long SizePerStep { get; init; }

    /// <summary>Floating-point operations of the measured step, forward and backward; null where they are not counted.</summary>
    public required double? OperationsPerStep { get; init; }

    /// <summary>Seconds of the measured step.</summary>
    public required double SecondsPerStep { get; init; }

    /// <summary>The number of trained parameters.</summary>
    public required long Parameters { get; init; }

    /// <summary>The size of a checkpoint in bytes: parameters, averages and the optimisers' state.</summary>
    public required long CheckpointBytes { get; init; }

    /// <summary>The most memory that the process held so far, the measured step included, in bytes.</summary>
    public long PeakMemory { get; } = PeakOfProcess();

    /// <summary>The memory that could still be taken, in bytes.</summary>
    public long AvailableMemory { get; } = Estimation.AvailableMemory.Read();

    /// <summary>The time that the steps will take together.</summary>
    public TimeSpan Time => TimeSpan.FromSeconds(Math.Min(Steps * SecondsPerStep, TimeSpan.MaxValue.TotalSeconds / 2));

    /// <summary>The cost as sentences.</summary>
    public IEnumerable<string> Lines()
    {
        yield return Invariant($"{Name} costs: {Steps:N0} steps of {SizePerStep:N0} {Unit}, {Count(Steps * (double)SizePerStep)} {Unit} together; {Count(Parameters)} parameters");
        if (OperationsPerStep is { } operations)
            yield return Invariant($"{Name} costs: {Count(operations)}FLOP a step, {Count(operations * Steps)}FLOP together, at {Count(operations / SecondsPerStep)}FLOP/s");
        yield return Invariant($"{Name} costs: a step took {SecondsPerStep:0.000} s, so about {Durations.Text(Time)} for all; validation, samples and checkpoints come on top");
        yield return Invariant($"{Name} costs: {Count(PeakMemory)}B of memory at the peak so far, {Count(AvailableMemory)}B more are available; a checkpoint takes {Count(CheckpointBytes)}B on disk");
    }

    private static long PeakOfProcess()
    {
        using var process = Process.GetCurrentProcess();
        return Math.Max(process.PeakWorkingSet64, process.WorkingSet64);
    }

    private static string Count(double value) => value switch
    {
        >= 1e15 => Invariant($"{value / 1e15:0.0} P"),
        >= 1e12 => Invariant($"{value / 1e12:0.0} T"),
        >= 1e9 => Invariant($"{value / 1e9:0.0} G"),
        >= 1e6 => Invariant($"{value / 1e6:0.0} M"),
        _ => Invariant($"{value / 1e3:0.0} k"),
    };

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
